import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CannotStart } from './cannot-start.ts';
import type { Program } from './child.ts';
import type { Port } from './free-port.ts';
import { whenSick } from './nats-health.ts';

/** Where Debian puts it, and where a user's PATH often does not lead. */
const SYSTEM_DIRS = ['/usr/sbin', '/usr/local/sbin'];
/**
 * On half of the cores: Go looks for work on all of them before it sleeps, a quarter of the server's CPU at half of the rate, which the others need. And with a heap that grows by half
 * before it is collected, not by all. What the environment says of either stands.
 */
const MODEST = { GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))), GOGC: '50' };
const LOOK_MS = 15;
const GREETING_MS = 1_000;

/**
 * A nats-server with JetStream in a directory of its own, for this machine only.
 * @param more lines for its configuration, such as those of a cluster
 * @throws CannotStart where there is no nats-server
 */
export function natsServer(dir: string, port: Port, more: readonly string[] = []): Program {
  const binary = findNatsServer();
  const [command, ...args] = [...dyingWithUs(), binary];
  const config = join(dir, 'nats-server.conf');
  const serverName = `local-${randomUUID()}`;
  return {
    name: 'nats-server',
    async launch(wasReady) {
      mkdirSync(dir, { recursive: true });
      const lines = [...configuration(dir, await port.forStart(wasReady), serverName), ...more, ''];
      writeFileSync(config, lines.join('\n'), { mode: 0o600 });
      // A session of its own: it would end at once by the Ctrl-C that tells us to stop everything in order.
      return spawn(command as string, [...args, '-c', config], {
        stdio: 'ignore',
        detached: true,
        env: { ...MODEST, ...process.env },
      });
    },
    whenReady: (_process, signal) => whenGreeting(port.current(), serverName, signal),
    whenSick: (_process, signal) => whenSick(port.current(), signal),
  };
}

function findNatsServer(): string {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_DIRS];
  const found = dirs.map((dir) => join(dir, 'nats-server')).find(isExecutable);
  if (found) return found;
  throw new CannotStart('nats-server was not found: start with `npm start`, or install it, or set NATS_URL');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The others notice by their channel when we are killed; on Linux the kernel can tell nats-server. */
function dyingWithUs(): string[] {
  if (process.platform !== 'linux') return [];
  const setpriv = ['setpriv', '--pdeathsig', 'TERM'];
  const { status } = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' });
  return status === 0 ? setpriv : [];
}

/** Read by 2.9 and later. JSON strings are strings of its language too. */
function configuration(dir: string, port: number, serverName: string): string[] {
  return [
    `server_name: ${JSON.stringify(serverName)}`,
    `listen: "127.0.0.1:${port}"`,
    `log_file: ${JSON.stringify(join(dir, 'nats-server.log'))}`,
    'logfile_size_limit: 10MB',
    'max_connections: 1024',
    // What a disk does not hold fails at the disk: the default, a share of what is free, would refuse work before that.
    `jetstream { store_dir: ${JSON.stringify(dir)}, max_memory_store: 16MB, max_file_store: 1TB }`,
  ];
}

async function whenGreeting(port: number, serverName: string, signal: AbortSignal): Promise<void> {
  while (!(await greeting(port)).includes(serverName)) await delay(LOOK_MS, undefined, { signal });
}

/** The line by which a NATS server greets a client, with its name in it; empty where none listens. */
function greeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.setTimeout(GREETING_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.on('data', (part) => {
      text += part;
      if (text.includes('\n')) socket.destroy();
    });
  });
}
