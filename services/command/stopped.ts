/** A signal that comes when the process is told to stop, or nobody reads what it prints any more. */
export function whenStopped(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  process.stdout.on('error', () => stop.abort());
  return stop.signal;
}
