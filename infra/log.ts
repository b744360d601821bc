import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** The log of one process: JSON lines on stdout. Keys never reach it: they travel in headers, and no header is logged. */
export function createLog(service: string, level: string): Logger {
  return pino({ name: service, level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime });
}
