import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** The log of one process on stdout: JSON lines, or, where that is a terminal, lines for people. Keys never reach it: they travel in headers, and no header is logged. */
export function createLog(service: string, level: string): Logger {
  const options = { name: service, level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime };
  return process.stdout.isTTY ? pino(options, forPeople()) : pino(options);
}

/** Loaded only where somebody looks. */
function forPeople(): DestinationStream {
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  return pretty({
    colorize: !process.env.NO_COLOR,
    sync: true,
    singleLine: true,
    ignore: 'service',
    messageFormat: '{service}: {msg}',
    translateTime: 'SYS:HH:MM:ss.l',
  });
}
