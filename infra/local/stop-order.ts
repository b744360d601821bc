import { isAlive, markProcess } from './process-mark.ts';

export type StopReason = 'signal' | 'orphaned';

/**
 * Resolves when this process is to stop: a signal came, or the parent that holds our channel is gone. All further signals
 * are ignored, since stopping has begun. With `byParent`, Ctrl-C and the closing of the terminal, which reach a whole
 * process group, are left to the parent, which stops everything in order.
 */
export function whenStopOrdered({ byParent }: { byParent: boolean }): Promise<StopReason> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve('signal'));
    for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => byParent || resolve('signal'));
    process.on('disconnect', () => resolve('orphaned'));
    if (process.send && !process.connected) resolve('orphaned');
  });
}

const LOOK_MS = 500;

/** Resolves when this process is gone, which cannot tell us; see infra/setup/hand-over.mjs. */
export function whenGone(pid: number): Promise<StopReason> {
  const parent = markProcess(pid);
  return new Promise((resolve) => {
    const looking = setInterval(() => {
      if (isAlive(parent)) return;
      clearInterval(looking);
      resolve('orphaned');
    }, LOOK_MS);
    looking.unref();
  });
}
