import { expect } from 'chai';
import type { Attempt, NotificationLogEntry } from '../../../../clients/typescript/src/index.ts';
import { explained } from '../../../../services/command/mcp/explained.ts';

const AT = '2026-11-24T09:00:00.000Z';
const LATER = '2026-11-24T10:00:00.000Z';

const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  ...{ attempt: 1, at: AT, status_code: 500, error: null, duration_ms: 3, response_body: '' },
  ...{ trigger: 'publish', webhook_revision: 0 },
  ...more,
});
const entry = (more: Partial<NotificationLogEntry>): NotificationLogEntry => ({
  ...{ webhook_id: 1, webhook_url: 'http://subscriber.com/', status: 'pending', next_attempt_at: null, attempts: [] },
  ...more,
});
const refused = attempt({ status_code: null, error: 'connection_refused' });

describe('what became of an event, in words', () => {
  const cases: [NotificationLogEntry, string][] = [
    [
      entry({ status: 'delivered', attempts: [refused, attempt({ status_code: 200 })] }),
      `Delivered at attempt 2, ${AT}.`,
    ],
    [
      entry({ status: 'failed', attempts: [refused] }),
      `Given up after one attempt. The last attempt, ${AT}, failed: nothing listens at its address. It can be redelivered.`,
    ],
    [
      entry({ attempts: [refused, attempt({ response_body: 'no "room"' })], next_attempt_at: LATER }),
      `Will be tried again at ${LATER}. The last attempt, ${AT}, was answered 500, and it said: "no \\"room\\"".`,
    ],
    [entry({ next_attempt_at: LATER }), `Not tried yet; it will be at ${LATER}.`],
    [entry({}), 'Waits until its webhook, which is paused, is resumed.'],
    [
      entry({ status: 'cancelled', attempts: [attempt(), attempt()] }),
      'Cancelled after 2 attempts: its webhook or channel was deleted.',
    ],
    [
      entry({ status: 'skipped', reason: 'event_names' }),
      'Never sent to this webhook: its event_names did not ask for events of this name then.',
    ],
    [
      entry({ status: 'skipped', reason: 'deleted_before' }),
      'Never sent to this webhook: it was deleted before the event was published.',
    ],
  ];
  for (const [of, words] of cases) it(words, () => expect(explained(of)).to.equal(words));
});
