import { createHash } from 'node:crypto';
import { stream } from '../../domain/facts.ts';
import {
  type AcceptedRequest,
  acceptedRequest,
  assertSameRequest,
  IDEMPOTENCY_MAX_AGE_S,
  type IdempotencyFact,
} from '../../domain/idempotency.ts';
import { NO_STREAM_YET } from '../../infra/event-store/client.ts';
import { WrongRevision } from '../../infra/event-store/errors.ts';
import { newFact, type Stamp } from './commands.ts';
import type { Gateway } from './context.ts';
import { Problem } from './problems.ts';

/** What an Idempotency-Key was sent with. */
export interface Keyed {
  readonly key: string;
  /** What the key belongs to: a channel, or what has none. */
  readonly owner: string;
  /** Method and path of the route. */
  readonly route: string;
  readonly path: string;
  readonly body: unknown;
}

/** How often a request tries to be the first, or to find the one that was. */
const TRIES = 5;
const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/**
 * Accepts a request with an Idempotency-Key: the first one as it is, every repetition with the first one's ids and time.
 * Called only once nothing but the domain can refuse the request.
 * @throws Problem idempotency-key-invalid; Refusal idempotency-key-reused; StoreUnavailable
 */
export async function acceptOnce(
  { store, nowMs, log }: Gateway,
  keyed: Keyed,
  first: { readonly ids: readonly number[]; readonly atMs: number },
  stamp: Stamp,
): Promise<{ ids: readonly number[]; atMs: number; repeated: boolean }> {
  if (!PRINTABLE.test(keyed.key)) {
    throw new Problem('idempotency-key-invalid', 'An Idempotency-Key is 1 to 255 printable ASCII characters.');
  }
  const request_hash = sha256([keyed.route, keyed.path, canonical(keyed.body)]);
  const name = stream.idempotency(sha256([keyed.owner, keyed.route, keyed.key]));
  const [id = 0] = first.ids;
  const at = new Date(first.atMs).toISOString();
  const data: AcceptedRequest = { request_hash, id, ...(first.ids.length > 1 && { ids: first.ids }), at };
  let expected = NO_STREAM_YET;
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      await store.append(name, [newFact({ type: 'RequestAccepted', data }, stamp)], expected);
      // Facts whose stream could not be told when to forget them are only kept longer: their own time decides.
      store.setMaxAge(name, IDEMPOTENCY_MAX_AGE_S).catch((err) => log.warn({ err, stream: name }, 'no $maxAge set'));
      return { ...first, repeated: false };
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
      const accepted = acceptedRequest(await store.read<IdempotencyFact>(name, { last: 1 }), nowMs());
      if (accepted) {
        assertSameRequest(accepted, request_hash);
        return { ids: accepted.ids ?? [accepted.id], atMs: Date.parse(accepted.at), repeated: true };
      }
      expected = error.actual;
    }
  }
  throw new Problem('contended', 'Too many requests with this Idempotency-Key at once.');
}

function sha256(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** JSON in which the order of fields tells nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
