import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { expect } from 'chai';
import fc from 'fast-check';
import anys from 'google-protobuf/google/protobuf/any_pb.js';
import { FACT_VERSION } from '../../../../domain/facts.ts';
import { appendRequest } from '../../../../infra/event-store/wire/append-request.ts';
import { readAppendResponse } from '../../../../infra/event-store/wire/append-response.ts';
import { readReadResponse, toFact } from '../../../../infra/event-store/wire/read-response.ts';
import { AT_MS, metadata, newFact, published } from '../../../support/sample.ts';

const { BatchAppendReq, BatchAppendResp, ReadResp } = streams;
const { RecordedEvent } = ReadResp.ReadEvent;

const fact = newFact(published());
const CORRELATION_ID = randomUUID();
const append = (part: Partial<Parameters<typeof appendRequest>[0]> = {}) => {
  const request = { correlationId: CORRELATION_ID, stream: 'events-1001', expected: 'any' as const, events: [fact] };
  return BatchAppendReq.deserializeBinary(appendRequest({ ...request, deadlineMs: AT_MS, ...part }));
};
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

describe('event store: appends encoded by hand', () => {
  it('are read by the generated code as what was to be appended', () => {
    const request = append({ events: [fact, { ...fact, id: randomUUID() }] });
    const [first, second, ...others] = request.getProposedMessagesList();
    expect(others).to.deep.equal([]);
    expect(second?.getId()?.getString()).to.not.equal(fact.id);
    expect(first?.getId()?.getString()).to.equal(fact.id);
    expect(first?.getMetadataMap().get('type')).to.equal('EventPublished');
    expect(first?.getMetadataMap().get('content-type')).to.equal('application/json');
    expect(JSON.parse(textOf(first?.getData_asU8()))).to.deep.equal(fact.data);
    expect(JSON.parse(textOf(first?.getCustomMetadata_asU8()))).to.deep.equal(fact.metadata);
    expect(request.getCorrelationId()?.getString()).to.equal(CORRELATION_ID);
    expect(request.getIsFinal()).to.equal(true);
    const options = request.getOptions();
    expect(textOf(options?.getStreamIdentifier()?.getStreamName_asU8())).to.equal('events-1001');
    expect(options?.getDeadline()?.toDate().getTime()).to.equal(AT_MS);
  });

  it('carry any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.json(), (text, json) => {
        const data = { text, json };
        const [message] = append({ events: [{ ...fact, data }] }).getProposedMessagesList();
        expect(textOf(message?.getData_asU8())).to.equal(JSON.stringify(data));
      }),
    );
  });

  it('say what the stream must look like', () => {
    expect(append({ expected: 'any' }).getOptions()?.hasAny()).to.equal(true);
    expect(append({ expected: -1 }).getOptions()?.hasNoStream()).to.equal(true);
    expect(append({ expected: 0 }).getOptions()?.getStreamPosition()).to.equal('0');
    expect(
      append({ expected: 2 ** 40 })
        .getOptions()
        ?.getStreamPosition(),
    ).to.equal(String(2 ** 40));
  });
});

const structured = (id: string) => {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  const halves = new shared.UUID.Structured()
    .setMostSignificantBits(bytes.readBigInt64BE(0).toString())
    .setLeastSignificantBits(bytes.readBigInt64BE(8).toString());
  return new shared.UUID().setStructured(halves);
};

function failed(type: string, details: { serializeBinary(): Uint8Array }) {
  const any = new anys.Any();
  any.pack(details.serializeBinary(), `event_store.client.${type}`);
  const error = new statuses.Status().setMessage('no').setDetails(any);
  return answer(new BatchAppendResp().setError(error));
}

const answer = (response: streams.BatchAppendResp, id = new shared.UUID().setString(CORRELATION_ID)) =>
  readAppendResponse(Buffer.from(response.setCorrelationId(id).serializeBinary()));

describe('event store: answers to appends decoded by hand', () => {
  const position = new shared.AllStreamPosition().setCommitPosition('812').setPreparePosition('811');
  const success = new BatchAppendResp.Success().setCurrentRevision('7').setPosition(position);

  it('say where the append ended, whichever way they write the id', () => {
    const expected = { correlationId: CORRELATION_ID, result: { revision: 7, position: 812 } };
    const response = new BatchAppendResp().setSuccess(success);
    expect(answer(response)).to.deep.equal(expected);
    expect(answer(response, structured(CORRELATION_ID))).to.deep.equal(expected);
  });

  it('tell the revision that the stream had instead', () => {
    const wrong = (details: shared.WrongExpectedVersion) => failed('WrongExpectedVersion', details).result;
    const other = { failure: 'WrongExpectedVersion', message: 'no' };
    expect(wrong(new shared.WrongExpectedVersion().setCurrentStreamRevision('5'))).to.include({ ...other, actual: 5 });
    expect(wrong(new shared.WrongExpectedVersion().setCurrentNoStream(new shared.Empty()))).to.include({
      ...other,
      actual: -1,
    });
  });

  it('name every other failure', () => {
    const tooLarge = failed('MaximumAppendSizeExceeded', new shared.MaximumAppendSizeExceeded().setMaxappendsize(9));
    expect(tooLarge.result).to.deep.equal({ failure: 'MaximumAppendSizeExceeded', message: 'no', actual: -1 });
    expect(answer(new BatchAppendResp()).result).to.include({ failure: 'Unknown' });
  });
});

/** The event as the store hands it over. */
function recorded({ id = new shared.UUID().setString(fact.id), meta = JSON.stringify(fact.metadata) } = {}) {
  const event = new RecordedEvent()
    .setId(id)
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from('events-1001')))
    .setStreamRevision('7')
    .setCommitPosition(String(Number.MAX_SAFE_INTEGER))
    .setPreparePosition('1')
    .setCustomMetadata(Buffer.from(meta))
    .setData(Buffer.from(JSON.stringify(fact.data)));
  event.getMetadataMap().set('type', fact.type).set('content-type', 'application/json').set('created', `${AT_MS}9999`);
  return event;
}

function decoded(event = recorded()) {
  const read = new ReadResp.ReadEvent().setEvent(event).setCommitPosition('42');
  const response = readReadResponse(Buffer.from(new ReadResp().setEvent(read).serializeBinary()));
  if (response.kind !== 'event' || !response.event) throw new Error(`it is a ${response.kind}`);
  return { position: response.position, fact: () => toFact(response.event as NonNullable<typeof response.event>) };
}

describe('event store: events decoded by hand', () => {
  it('are the fact as it was, with its place in the log', () => {
    const place = { stream: 'events-1001', revision: 7, position: Number.MAX_SAFE_INTEGER, recordedAtMs: AT_MS };
    expect(decoded().fact()).to.deep.equal({ ...fact, ...place });
    expect(decoded().position).to.equal(42);
    expect(decoded(recorded({ id: structured(fact.id) })).fact().id).to.equal(fact.id);
  });

  it('of a version that is not known, or of none, are refused', () => {
    const newer = JSON.stringify(metadata({ version: FACT_VERSION + 1 }));
    expect(decoded(recorded({ meta: newer })).fact).to.throw(/events-1001@7: a EventPublished of version 2/);
    expect(decoded(recorded({ meta: '{}' })).fact).to.throw(/version undefined/);
    expect(decoded(recorded({ meta: '' })).fact).to.throw(/version undefined/);
  });

  it('are told from checkpoints, and from streams that are not there', () => {
    const read = (response: streams.ReadResp) => readReadResponse(Buffer.from(response.serializeBinary()));
    const checkpoint = new ReadResp.Checkpoint().setCommitPosition('9').setPreparePosition('8');
    expect(read(new ReadResp().setCheckpoint(checkpoint))).to.deep.equal({ kind: 'checkpoint', position: 9 });
    expect(read(new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound()))).to.deep.equal({ kind: 'not-found' });
    expect(read(new ReadResp().setCaughtUp(new ReadResp.CaughtUp()))).to.deep.equal({ kind: 'other' });
  });
});
