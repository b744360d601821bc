import type { Attempt, NotificationLogEntry } from '../../../clients/typescript/src/index.ts';

/** What went wrong where there was no status code. */
const ERRORS: Readonly<Record<string, string>> = {
  timeout: 'no answer came in time',
  connection_refused: 'nothing listens at its address',
  connection_reset: 'the connection was closed without an answer',
  dns: 'the name in its URL leads nowhere',
  tls: 'its certificate is not one that is trusted, or TLS failed otherwise',
  protocol: 'what came was no HTTP',
  blocked_address: 'its URL leads to an address that this server may not reach',
};

const SKIPPED: Readonly<Record<NonNullable<NotificationLogEntry['reason']>, string>> = {
  event_names: 'its event_names did not ask for events of this name then',
  created_later: 'it was created only after the event was published; a recovery with "missing" sends it such events',
  deleted_before: 'it was deleted before the event was published',
};

/** What became of an event at one webhook, in words. */
export function explained({ status, reason, attempts, next_attempt_at }: NotificationLogEntry): string {
  const count = attempts.length;
  const last = attempts.at(-1);
  switch (status) {
    case 'skipped':
      return `Never sent to this webhook: ${reason ? SKIPPED[reason] : 'it did not want it'}.`;
    case 'delivered':
      return `Delivered${last ? ` at attempt ${count}, ${last.at}` : ''}.`;
    case 'cancelled':
      return `Cancelled after ${attemptsIn(count)}: its webhook or channel was deleted.`;
    case 'failed':
      return `Given up after ${attemptsIn(count)}. ${lastOf(last)} It can be redelivered.`;
    case 'pending':
      if (next_attempt_at === null)
        return `Waits until its webhook, which is paused, is resumed. ${lastOf(last)}`.trim();
      return `${last ? 'Will be tried again' : 'Not tried yet; it will be'} at ${next_attempt_at}. ${lastOf(last)}`.trim();
  }
}

function attemptsIn(count: number): string {
  return count === 1 ? 'one attempt' : `${count} attempts`;
}

function lastOf(attempt: Attempt | undefined): string {
  if (!attempt) return '';
  const { at, status_code, error, response_body } = attempt;
  if (status_code === null) return `The last attempt, ${at}, failed: ${ERRORS[error ?? ''] ?? error}.`;
  const said = response_body === '' ? '' : `, and it said: ${JSON.stringify(response_body)}`;
  return `The last attempt, ${at}, was answered ${status_code}${said}.`;
}
