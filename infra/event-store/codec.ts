import { type EventData, jsonEvent, type RecordedEvent } from '@eventstore/db-client';
import { FACT_VERSION, type Fact, type FactMetadata, type NewFact, type RecordedFact } from '../../domain/facts.ts';

export function toEvent({ id, type, data, metadata }: NewFact): EventData {
  return jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: { ...metadata } });
}

/** @throws Error for a fact of a version that this code does not know yet */
export function toFact(event: RecordedEvent): RecordedFact {
  const metadata = event.metadata as unknown as FactMetadata;
  if (!(metadata?.version <= FACT_VERSION)) {
    throw new Error(
      `${event.streamId}@${event.revision}: a ${event.type} of version ${metadata?.version}, newer than this code`,
    );
  }
  return {
    id: event.id,
    type: event.type as Fact['type'],
    data: event.data,
    metadata,
    stream: event.streamId,
    revision: Number(event.revision),
    position: Number(event.position?.commit),
    recordedAtMs: event.created.getTime(),
  } as RecordedFact;
}
