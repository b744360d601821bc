import { isDeepStrictEqual } from 'node:util';
import type { NotificationLogEntry } from '../../../domain/notification-log.ts';
import { type Violation, violation } from './violation.ts';

/** The API tells what the log says. @param ask undefined where there is no such event any more, its channel being deleted */
export async function checkNotificationLogs(
  eventIds: readonly number[],
  folds: ReadonlyMap<number, readonly NotificationLogEntry[]>,
  ask: (eventId: number) => Promise<unknown>,
): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const id of eventIds) {
    const told = await ask(id);
    const expected = folds.get(id);
    if (told !== undefined && !isDeepStrictEqual(told, JSON.parse(JSON.stringify(expected)))) {
      found.push(violation('notification log differs from the fold', id, told, 'instead of', expected));
    }
  }
  return found;
}
