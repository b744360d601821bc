import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** Goes on as the module: in this same process where Node can do that, else in a child that we stand for. */
export function handOver(root, { node, natsDir, module, args }) {
  // What is built into this Node and still marked experimental (node:sqlite) is no news to whoever starts this.
  const argv = ['--disable-warning=ExperimentalWarning', module, ...args];
  const dirs = [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH, natsDir];
  const env = { ...process.env, ...npmToWatch(), PATH: dirs.filter(Boolean).join(delimiter) };
  // Holds the stripped types too: a quarter less memory in each process, and a quicker start.
  env.NODE_COMPILE_CACHE ??= join(root, '.runtime/compile-cache');
  if (process.execve) process.execve(node, [node, ...argv], env);
  else standFor(spawn(node, argv, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] }));
}

/** An npm that is killed cannot pass it on to what it has started: that has to look. */
function npmToWatch() {
  return process.env.npm_lifecycle_event === 'start' ? { STARTED_BY_PID: `${process.ppid}` } : {};
}

/**
 * A child with a channel leaves Ctrl-C to its parent, which orders the stop by SIGTERM; and where the parent is killed, the
 * end of the channel tells it to stop.
 */
function standFor(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
