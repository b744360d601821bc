import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

/** What the figures were measured on. */
export function describeMachine() {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model ?? 'unknown',
    memory_mib: Math.round(totalmem() / 1_024 / 1_024),
    os: `${type()} ${release()}`,
    node: process.version,
    nats_server: natsServerVersion(),
    measured_at: new Date().toISOString(),
  };
}

function natsServerVersion(): string {
  const { stdout } = spawnSync('nats-server', ['--version'], { encoding: 'utf8' });
  return /v(\d\S*)/.exec(stdout ?? '')?.[1] ?? 'unknown';
}
