import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { endLeftovers } from '../../../infra/local/leftovers.ts';
import { buildContext } from '../../support/build-context.ts';
import { copiedInto, environmentOf, lastOf, wordsOf } from '../../support/dockerfile.ts';
import { collectOutput, stackEnv } from '../../support/stack.ts';

const ROOT = join(import.meta.dirname, '../../..');

export type Assembled = ReturnType<typeof assemble>;

/** Does by hand what the Dockerfile does for an image: what COPY copies, in a directory that nobody may write. `nats-server` is taken from PATH. */
export function assemble(image: string) {
  const home = mkdtempSync(join(tmpdir(), 'webhooks-image-'));
  chmodSync(home, 0o755);
  const app = join(home, 'app');
  mkdirSync(app);
  for (const { sources, target, stage } of copiedInto(image)) {
    if (stage === 'dependencies') copyDependencies(join(app, target));
    else if (stage === undefined) for (const source of sources) copySource(source, app, target);
  }
  execFileSync('chmod', ['-R', 'a-w,a+rX', app]);
  const user = userOf(image);

  /** A directory that the image's user may write. */
  function newDirectory(name: string): string {
    const dir = join(home, name);
    mkdirSync(dir);
    if (user) chownSync(dir, user.uid, user.gid);
    return dir;
  }

  return {
    files: () => readdirSync(app, { recursive: true }).length,
    newDirectory,
    /** Starts its entry command, with the environment that it sets and these settings. */
    start(settings: Record<string, string>) {
      const dataDir = newDirectory('data');
      const own = { DATA_DIR: dataDir, NODE_COMPILE_CACHE: newDirectory('compile-cache') };
      const env = { ...stackEnv(), ...environmentOf(image), ...own, HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...settings };
      const options = { cwd: app, env, ...user };
      const [, ...args] = [...commandOf(image, 'ENTRYPOINT'), ...commandOf(image, 'CMD')];
      const started = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
      const exited = once(started, 'exit').then(([code]) => code as number);
      return {
        dataDir,
        output: collectOutput(started),
        exited,
        /** What its health check says: 0 where it is well. */
        health(): number | null {
          const [, ...check] = commandOf(image, 'HEALTHCHECK');
          return spawnSync(process.execPath, check, options).status;
        },
        /** What `docker exec` would: another program of it, beside the one that runs. */
        exec(...words: string[]) {
          return spawnSync(process.execPath, words, { ...options, encoding: 'utf8' });
        },
        async stop(): Promise<number> {
          started.kill('SIGTERM');
          const code = await exited;
          await endLeftovers(dataDir, () => {});
          return code;
        },
      };
    },
    /** A file that the image's user may read. */
    secretFile(name: string, content: string): string {
      const file = join(home, name);
      writeFileSync(file, `${content}\n`, { mode: 0o444 });
      return file;
    },
    remove(): void {
      execFileSync('chmod', ['-R', 'u+w', app]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function commandOf(image: string, keyword: string): string[] {
  const words = wordsOf(lastOf(image, keyword));
  if (!words) throw new Error(`${keyword} of ${image} is not in exec form`);
  return words;
}

/** Only root may become somebody else. */
function userOf(image: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = (lastOf(image, 'USER')?.getArgumentsContent() ?? '').split(':').map(Number);
  return process.getuid?.() === 0 ? { uid: uid as number, gid: gid as number } : undefined;
}

function copySource(source: string, app: string, target: string): void {
  for (const file of buildContext()) {
    const isBelow = file.startsWith(`${source}/`);
    if (file !== source && !isBelow) continue;
    const to = isBelow ? join(app, target, file.slice(source.length + 1)) : join(app, target, basename(file));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(ROOT, file), to);
  }
}

/** What `npm ci --omit=dev` installs: the packages that the lock does not mark as needed for development alone. */
function copyDependencies(target: string): void {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  for (const [path, { dev, optional }] of Object.entries(packages)) {
    if (path === '' || dev || (optional && !existsSync(join(ROOT, path)))) continue;
    const to = join(target, path.slice('node_modules/'.length));
    const isOwn = (file: string) => !file.slice(join(ROOT, path).length).startsWith('/node_modules');
    cpSync(join(ROOT, path), to, { recursive: true, dereference: true, filter: isOwn });
  }
}
