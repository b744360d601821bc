import { EventEmitter } from 'node:events';
import type { AllStreamSubscription, RecordedEvent, StreamSubscription } from '@eventstore/db-client';

type Seen = number | string;

/** Notes what a subscription brings, in order: of each event its revision (or another field), and 'caughtUp'. */
export function follow<T extends StreamSubscription | AllStreamSubscription>(
  subscription: T,
  field: 'revision' | 'streamId' | 'id' | 'type' = 'revision',
) {
  const seen: Seen[] = [];
  const growth = new EventEmitter();
  const note = (what: Seen) => {
    seen.push(what);
    growth.emit('grown');
  };
  subscription.on('caughtUp', () => note('caughtUp'));
  subscription.on('data', ({ event, link }: { event?: RecordedEvent; link?: RecordedEvent }) => {
    const value = (event ?? link)?.[field];
    note(typeof value === 'bigint' ? Number(value) : String(value));
  });
  subscription.on('error', (error: Error) => growth.emit('failed', error));

  const when = (condition: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (condition()) resolve();
      };
      growth.on('grown', look);
      growth.on('failed', reject);
      look();
    });
  return {
    subscription,
    seen,
    note,
    sawCount: (count: number) => when(() => seen.length >= count),
    whenCaughtUp: when(() => seen.includes('caughtUp')),
  };
}
