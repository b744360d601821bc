import { randomBytes, randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { expect } from 'chai';
import fc from 'fast-check';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { uuidText } from '../../../infra/event-store/wire/uuid.ts';
import { TOMBSTONE_REVISION } from '../../../infra/local/eventstore/store/event.ts';
import { readBatchAppendRequest, readDeleteRequest } from '../../../infra/local/eventstore/wire/append-request.ts';
import { readReadMessage } from '../../../infra/local/eventstore/wire/read-request.ts';
import { eventMessage } from '../../../infra/local/eventstore/wire/read-response.ts';

const { BatchAppendReq, ReadResp } = streams;

const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 });
const bytes = fc.uint8Array({ maxLength: 300 });
const recordedEvent = fc.record({
  position: number,
  stream: fc.string({ unit: 'grapheme' }).map((text) => ({ id: 1, text, bytes: Buffer.from(text) })),
  revision: number,
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  type: fc.string({ unit: 'grapheme' }),
  json: fc.boolean(),
  createdMs: number,
  metadata: bytes,
  data: bytes,
  message: fc.constant(undefined),
});

const structured = (most: string, least: string) =>
  new shared.UUID().setStructured(
    new shared.UUID.Structured().setMostSignificantBits(most).setLeastSignificantBits(least),
  );

/** A request with one event, whose id is the one given. */
function requestWith(id: shared.UUID) {
  const proposed = new BatchAppendReq.ProposedMessage().setId(id).setData(Buffer.from('{}'));
  proposed.getMetadataMap().set('type', 'Happened').set('content-type', 'application/json');
  return new BatchAppendReq().setCorrelationId(new shared.UUID().setString(randomUUID())).addProposedMessages(proposed);
}

const decode = (id: shared.UUID) => readBatchAppendRequest(Buffer.from(serialized(requestWith(id))));

function serialized(message: streams.BatchAppendReq | streams.BatchAppendReq.ProposedMessage): Uint8Array {
  return message instanceof BatchAppendReq ? message.serializeBinary() : requestOf(message).serializeBinary();
}

const requestOf = (message: streams.BatchAppendReq.ProposedMessage) => {
  const request = new BatchAppendReq();
  request.addProposedMessages(message);
  return request;
};

describe('eventstore: messages encoded and decoded by hand', () => {
  it('events read by the generated code are what was written', () => {
    fc.assert(
      fc.property(recordedEvent, (event) => {
        const read = ReadResp.deserializeBinary(eventMessage(event)).getEvent();
        const recorded = read?.getEvent();
        expect(read?.getCommitPosition()).to.equal(String(event.position));
        expect(recorded?.getId()?.getString()).to.equal(uuidText(event.id));
        expect(recorded?.getStreamRevision()).to.equal(String(event.revision));
        expect([recorded?.getCommitPosition(), recorded?.getPreparePosition()]).to.deep.equal(
          Array(2).fill(String(event.position)),
        );
        expect(Buffer.from(recorded?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).to.equal(
          event.stream.text,
        );
        expect(recorded?.getMetadataMap().get('type')).to.equal(event.type);
        expect(recorded?.getMetadataMap().get('created')).to.equal(`${event.createdMs}0000`);
        expect(Buffer.from(recorded?.getData_asU8() ?? [])).to.deep.equal(Buffer.from(event.data));
        expect(Buffer.from(recorded?.getCustomMetadata_asU8() ?? [])).to.deep.equal(Buffer.from(event.metadata));
      }),
    );
  });

  it('an event larger than the buffer they are written into', () => {
    const [event] = fc.sample(recordedEvent, 1);
    if (!event) throw new Error('no sample');
    const data = randomBytes(5_000_000);
    const read = ReadResp.deserializeBinary(eventMessage({ ...event, data }));
    expect(Buffer.from(read.getEvent()?.getEvent()?.getData_asU8() ?? []).equals(data)).to.equal(true);
  });

  it('the revision of a tombstone is 2^63-1', () => {
    const [event] = fc.sample(recordedEvent, 1);
    if (!event) throw new Error('no sample');
    const read = ReadResp.deserializeBinary(eventMessage({ ...event, revision: TOMBSTONE_REVISION }));
    expect(read.getEvent()?.getEvent()?.getStreamRevision()).to.equal(String(2n ** 63n - 1n));
  });

  it('appends: options, chunks, the last one', () => {
    const options = new BatchAppendReq.Options()
      .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from('☃')))
      .setStreamPosition(String(2n ** 40n))
      .setDeadline(timestamps.Timestamp.fromDate(new Date(1_700_000_000_123)));
    const request = new BatchAppendReq().setOptions(options).setIsFinal(true);
    request.setCorrelationId(new shared.UUID().setString('an id'));
    const chunk = readBatchAppendRequest(Buffer.from(request.serializeBinary()));
    expect(chunk.options).to.deep.equal({ stream: '☃', expected: 2 ** 40, deadlineMs: 1_700_000_000_123 });
    expect(chunk.isFinal).to.equal(true);
    expect(shared.UUID.deserializeBinary(chunk.correlationId ?? Buffer.of()).getString()).to.equal('an id');
  });

  it('a revision over 2^53 is beyond every end', () => {
    const options = new BatchAppendReq.Options().setStreamPosition(String(2n ** 64n - 1n));
    const chunk = readBatchAppendRequest(Buffer.from(new BatchAppendReq().setOptions(options).serializeBinary()));
    expect(chunk.options?.expected).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it('ids as text, in any case, and as two halves, as other clients send them', () => {
    const text = 'c8b6ed33-9fd9-40fd-a5a6-0b4c3f8f1d6e';
    const asText = decode(new shared.UUID().setString(text.toUpperCase()));
    const asHalves = decode(
      structured(String(0xc8b6ed339fd940fdn - 2n ** 64n), String(0xa5a60b4c3f8f1d6en - 2n ** 64n)),
    );
    for (const { events } of [asText, asHalves]) expect(events.map(({ id }) => uuidText(id))).to.deep.equal([text]);
  });

  it('what is no id', () => {
    const almost = ['', 'c8b6ed33', 'c8b6ed33-9fd9-40fd-a5a6-0b4c3f8f1d6g', 'c8b6-d33-9fd9-40fd-a5a6--b4c3f8f1d6e'];
    for (const text of [...almost, 'c8b6ed33-9fd9-40fd-a5a6-0b4c3f8f1d6e0', 'c8b6ed3309fd9040fd0a5a600b4c3f8f1d6e']) {
      const chunk = decode(new shared.UUID().setString(text));
      expect(chunk.invalid, text).to.equal('id');
      expect(chunk.events).to.deep.equal([]);
    }
  });

  it('cut short it is refused, not misread', () => {
    const whole = Buffer.from(serialized(requestWith(new shared.UUID().setString(randomUUID()))));
    const lengths = Array.from({ length: whole.length - 1 }, (_, length) => length + 1);
    const accepted = lengths.filter((length) => {
      try {
        return readBatchAppendRequest(whole.subarray(0, length)).events.length > 0;
      } catch {
        return false;
      }
    });
    expect(accepted).to.deep.equal([]);
  });
});

describe('eventstore: reads and deletions by hand, against the generated encoding', () => {
  const { ReadReq, DeleteReq } = streams;
  const { Options } = ReadReq;
  const name = fc.string({ unit: 'grapheme', maxLength: 20 });
  const identifier = (text: string) => new shared.StreamIdentifier().setStreamName(Buffer.from(text));
  const place = fc.oneof(number, fc.constantFrom('start' as const, 'end' as const));

  it('know where a read begins, which way it goes, and how far', () => {
    const shape = {
      name: fc.option(name),
      place,
      backwards: fc.boolean(),
      links: fc.boolean(),
      count: fc.option(number),
    };
    fc.assert(
      fc.property(fc.record(shape), ({ name, place, backwards, links, count }) => {
        const options = new Options().setReadDirection(backwards ? 1 : 0).setResolveLinks(links);
        if (name === null) options.setAll(allFrom(place));
        else options.setStream(streamFrom(name, place));
        if (count === null) options.setSubscription(new Options.SubscriptionOptions());
        else options.setCount(String(count));
        expect(readReadMessage(Buffer.from(new ReadReq().setOptions(options).serializeBinary()))).to.deep.equal({
          ...{ stream: name ?? undefined, all: name === null, from: place, backwards, resolveLinks: links },
          ...{ subscribe: count === null, maxCount: count ?? Number.POSITIVE_INFINITY, filter: undefined },
        });
      }),
    );
  });

  function streamFrom(stream: string, from: number | 'start' | 'end') {
    const options = new Options.StreamOptions().setStreamIdentifier(identifier(stream));
    if (from === 'start') return options.setStart(new shared.Empty());
    return from === 'end' ? options.setEnd(new shared.Empty()) : options.setRevision(String(from));
  }

  function allFrom(from: number | 'start' | 'end') {
    const options = new Options.AllOptions();
    if (from === 'start') return options.setStart(new shared.Empty());
    if (from === 'end') return options.setEnd(new shared.Empty());
    return options.setPosition(new Options.Position().setCommitPosition(String(from)).setPreparePosition('7'));
  }

  it('know the filter', () => {
    const shape = {
      onStream: fc.boolean(),
      regex: name,
      prefixes: fc.array(name),
      window: fc.nat(),
      interval: fc.nat(),
    };
    fc.assert(
      fc.property(fc.record(shape), ({ onStream, regex, prefixes, window, interval }) => {
        const expression = new Options.FilterOptions.Expression().setRegex(regex).setPrefixList(prefixes);
        const filter = new Options.FilterOptions().setMax(window).setCheckpointintervalmultiplier(interval);
        if (onStream) filter.setStreamIdentifier(expression);
        else filter.setEventType(expression);
        const request = new ReadReq().setOptions(new Options().setAll(allFrom('start')).setFilter(filter));
        expect(readReadMessage(Buffer.from(request.serializeBinary())).filter).to.deep.equal({
          ...{ on: onStream ? 'stream' : 'type', regex, prefixes, window, interval },
        });
      }),
    );
  });

  it('know what is deleted, and what is expected of it', () => {
    const revision = fc.oneof(number, fc.constantFrom('any' as const, 'no_stream' as const, 'stream_exists' as const));
    fc.assert(
      fc.property(name, revision, (stream, expected) => {
        const options = new DeleteReq.Options().setStreamIdentifier(identifier(stream));
        if (typeof expected === 'number') options.setRevision(String(expected));
        if (expected === 'any') options.setAny(new shared.Empty());
        if (expected === 'no_stream') options.setNoStream(new shared.Empty());
        if (expected === 'stream_exists') options.setStreamExists(new shared.Empty());
        const request = new DeleteReq().setOptions(options);
        expect(readDeleteRequest(Buffer.from(request.serializeBinary()))).to.deep.include({ stream, expected });
      }),
    );
  });
});
