import type { NewFact } from '../../domain/facts.ts';
import type { Appended } from './client.ts';
import { WrongRevision } from './errors.ts';

/** What one append may hold: half of what the store takes, since the facts' bytes are estimated by their characters. */
const MAX_BYTES = 512 * 1_024;
const MAX_FACTS = 500;

interface Waiting {
  readonly facts: readonly NewFact[];
  readonly bytes: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

type Append = (stream: string, facts: readonly NewFact[]) => Promise<Appended>;

/**
 * Appends facts that have no invariant. While a stream's append is under way, what comes next for it waits together and
 * then goes as one append: no timer, no added latency when idle.
 * @param append appends to a stream at any revision
 */
export function createCoalescer(append: Append) {
  const queues = new Map<string, Waiting[]>();

  async function appendTogether(stream: string, batch: readonly Waiting[]) {
    const facts = batch.flatMap((waiting) => waiting.facts);
    try {
      const { revision, position } = await append(stream, facts);
      settle(batch, revision, position);
    } catch (error) {
      // Some of them are in the log already (a repeated append of unknown outcome): alone, each is recognised.
      if (error instanceof WrongRevision && batch.length > 1) await appendOneByOne(stream, batch);
      else for (const { reject } of batch) reject(error);
    }
  }

  async function appendOneByOne(stream: string, batch: readonly Waiting[]) {
    for (const { facts, resolve, reject } of batch) await append(stream, facts).then(resolve, reject);
  }

  async function drain(stream: string, queue: Waiting[]) {
    while (queue.length > 0) await appendTogether(stream, takeBatch(queue));
    queues.delete(stream);
  }

  return {
    /**
     * Resolves once the facts are durable, with the revision of the last of them and a position at or behind theirs.
     * @param bytes about how large their data is
     * @throws StoreUnavailable
     */
    append(stream: string, facts: readonly NewFact[], bytes: number): Promise<Appended> {
      return new Promise((resolve, reject) => {
        const waiting = { facts, bytes, resolve, reject };
        const queue = queues.get(stream);
        if (queue) {
          queue.push(waiting);
          return;
        }
        const fresh = [waiting];
        queues.set(stream, fresh);
        void drain(stream, fresh);
      });
    },
  };
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let facts = 0;
  let count = 0;
  for (const waiting of queue) {
    bytes += waiting.bytes;
    facts += waiting.facts.length;
    if (count > 0 && (bytes > MAX_BYTES || facts > MAX_FACTS)) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/** The append's answer is for its last fact: the others' revisions lie right before it. */
function settle(batch: readonly Waiting[], lastRevision: number, position: number) {
  let revision = lastRevision;
  for (const { facts, resolve } of batch.toReversed()) {
    resolve({ revision, position });
    revision -= facts.length;
  }
}
