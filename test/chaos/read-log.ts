import type { RecordedFact } from '../../domain/facts.ts';
import type { EventStore } from '../../infra/event-store/client.ts';

/** All facts of ours, in the order of the log. */
export async function readLog(store: EventStore): Promise<RecordedFact[]> {
  const head = await store.lastPosition();
  const facts: RecordedFact[] = [];
  const reading = new AbortController();
  for await (const batch of store.follow({ after: -1, signal: reading.signal })) {
    facts.push(...batch.facts);
    if (batch.position >= head) break;
  }
  reading.abort();
  return facts;
}
