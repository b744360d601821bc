import type { RecordedEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { FACT_VERSION } from '../../../../domain/facts.ts';
import { toEvent, toFact } from '../../../../infra/event-store/codec.ts';
import { AT_MS, metadata, newFact, published } from '../../../support/sample.ts';

const fact = newFact(published());

/** The event as the client hands it over, after it has been through the store. */
function readBack(part: object = {}): RecordedEvent {
  const { id, type, data, metadata } = JSON.parse(JSON.stringify(toEvent(fact)));
  return {
    ...{ id, type, data, metadata, isJson: true, streamId: 'events-1001', created: new Date(AT_MS) },
    ...{ revision: 7n, position: { commit: 2n ** 53n - 1n, prepare: 2n ** 53n - 1n } },
    ...part,
  } as RecordedEvent;
}

describe('event store codec', () => {
  it('writes a fact as a JSON event', () => {
    const event = toEvent(fact);
    expect(event).to.include({ id: fact.id, type: 'EventPublished', contentType: 'application/json' });
    expect(event.data).to.deep.equal(fact.data);
    expect(event.metadata).to.deep.equal(fact.metadata);
  });

  it('reads it back as it was, with its place in the log', () => {
    const place = { stream: 'events-1001', revision: 7, position: Number.MAX_SAFE_INTEGER, recordedAtMs: AT_MS };
    expect(toFact(readBack())).to.deep.equal({ ...fact, ...place });
  });

  it('refuses a fact of a version that it does not know, or of none', () => {
    const newer = readBack({ metadata: metadata({ version: FACT_VERSION + 1 }) });
    expect(() => toFact(newer)).to.throw(/events-1001@7: a EventPublished of version 2/);
    expect(() => toFact(readBack({ metadata: {} }))).to.throw(/version undefined/);
    expect(() => toFact(readBack({ metadata: undefined }))).to.throw(/version undefined/);
  });
});
