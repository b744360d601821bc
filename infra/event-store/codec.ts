import { type EventData, jsonEvent, type RecordedEvent } from '@eventstore/db-client';
import type { Fact, FactMetadata, NewFact, RecordedFact } from '../../domain/facts.ts';
import { NewerFact, upcast, VERSIONS, type Versions } from '../../domain/upcast.ts';

export function toEvent({ id, type, data, metadata }: NewFact): EventData {
  return jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: { ...metadata } });
}

/**
 * A fact as today's code would have written it, however old it is.
 * @throws NewerFact for a fact of a version that this code does not know yet
 */
export function toFact(event: RecordedEvent, versions: Versions = VERSIONS): RecordedFact {
  const metadata = event.metadata as unknown as FactMetadata;
  return {
    id: event.id,
    type: event.type as Fact['type'],
    data: upcasted(event, metadata, versions),
    metadata: metadata.version === versions.newest ? metadata : { ...metadata, version: versions.newest },
    stream: event.streamId,
    revision: Number(event.revision),
    position: Number(event.position?.commit),
    recordedAtMs: event.created.getTime(),
  } as RecordedFact;
}

function upcasted({ type, data, streamId, revision }: RecordedEvent, metadata: FactMetadata, versions: Versions) {
  try {
    return upcast(type, metadata?.version, data as Record<string, unknown>, versions);
  } catch (error) {
    if (error instanceof NewerFact) throw new NewerFact(`${streamId}@${revision}: ${error.message}`);
    throw error;
  }
}
