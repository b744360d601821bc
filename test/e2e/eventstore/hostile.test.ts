import { randomUUID } from 'node:crypto';
import { BACKWARDS, END } from '@eventstore/db-client';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { endlessVarint, field, message, numberField, varint } from '../../support/protobuf.ts';
import { atEnd, connect, endAll, event, spawnServer, startServer, temporaryDirectory } from './support.ts';

const MIB = 1024 * 1024;
const EMPTY = new Uint8Array(0);

const uuid = (text: string = randomUUID()) => field(2, text);
const streamNamed = (name: string) => field(1, field(3, name));
const entry = (key: string, value: string) => field(2, message(field(1, key), field(2, value)));
const anEvent = (data: Uint8Array = EMPTY) =>
  message(field(1, uuid()), entry('type', 'T'), ...(data.length > 0 ? [field(4, data)] : []));
const ANY = field(4, EMPTY);
const readAll = (filter: Uint8Array) =>
  field(1, message(field(2, field(2, EMPTY)), numberField(5, varint(100n)), field(7, filter)));
const regexFilter = (regex: string) => field(1, field(1, regex));

/** The promise: no message makes the store fall over, work without end or hold memory without end. */
describe('eventstore: messages that mean harm', () => {
  let client: Client;
  let port: number;
  before(async () => {
    ({ port } = await startServer());
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    atEnd(() => client.close());
  });
  after(endAll);

  /** The status that a call of one method ends with, once it was sent these messages. */
  const send = (method: string, ...messages: readonly Uint8Array[]) =>
    sendTo(`/event_store.client.streams.Streams/${method}`, ...messages);

  function sendTo(path: string, ...messages: readonly Uint8Array[]): Promise<ServiceError['code']> {
    const asIs = (bytes: Uint8Array) => Buffer.from(bytes);
    const call = client.makeBidiStreamRequest(path, asIs, asIs);
    return new Promise((resolve) => {
      call.on('error', () => {});
      call.on('data', () => {});
      call.on('status', ({ code }) => resolve(code));
      for (const each of messages) call.write(each);
      call.end();
    });
  }

  it('refuses a number without end at once', async () => {
    const id = field(1, field(1, numberField(1, endlessVarint(2_000_000))));
    expect(await send('Append', message(field(1, message(streamNamed('a'), ANY)), field(2, id)))).to.equal(
      status.INTERNAL,
    );
  });

  it('refuses a length that leads out of its message, which a decoder may follow for ever', async () => {
    const endless = message(Uint8Array.of(0x0a), varint(2n ** 63n - 1n), field(1, EMPTY));
    for (const method of ['Read', 'Append', 'BatchAppend', 'Delete', 'Tombstone']) {
      expect(await send(method, endless), method).to.equal(status.INTERNAL);
      expect(await send(method, field(method === 'BatchAppend' ? 2 : 1, endless)), method).to.equal(status.INTERNAL);
    }
    // What these take is empty: whatever else comes is passed over.
    for (const path of ['server_features.ServerFeatures/GetSupportedMethods', 'gossip.Gossip/Read']) {
      expect(await sendTo(`/event_store.client.${path}`, endless), path).to.equal(status.OK);
    }
  });

  it('keeps the metadata of a stream from being deleted: the next would have no number, and nothing could be read', async () => {
    const { port: other } = await startServer();
    const writer = connect(other);
    await writer.appendToStream('a', event());
    await writer.setStreamMetadata('a', { maxCount: 5 });
    const refused = [writer.tombstoneStream('$$a'), writer.deleteStream('$$a'), writer.tombstoneStream('$$nothing')];
    for (const { status: outcome } of await Promise.allSettled(refused)) expect(outcome).to.equal('rejected');
    await writer.deleteStream('a');
    const all = [];
    for await (const { event: read } of writer.readAll({ direction: BACKWARDS, fromPosition: END }))
      all.push(read?.streamId);
    expect(all.slice(0, 3)).to.deep.equal(['$$a', '$$a', 'a']);
  });

  it('looks for a pattern in one go, however many ways there are to match it', async () => {
    const writer = connect(port);
    await writer.appendToStream(`${'a'.repeat(60)}!`, event());
    for (const regex of ['^(a+)+$', '^(a|aa)+$', '(.*a){30}$']) {
      expect(await send('Read', readAll(regexFilter(regex))), regex).to.equal(status.OK);
    }
  });

  it('refuses a filter that is none, or costs too much', async () => {
    const prefixes = (count: number) => field(1, Buffer.concat(Array<Uint8Array>(count).fill(field(2, 'x'))));
    for (const filter of [
      regexFilter('('),
      regexFilter('(a)\\1'),
      regexFilter('(?=a)'),
      regexFilter('a'.repeat(1_001)),
      prefixes(1_001),
    ]) {
      expect(await send('Read', readAll(filter))).to.equal(status.INVALID_ARGUMENT);
    }
    expect(await send('Read', readAll(prefixes(1_000)))).to.equal(status.OK);
  });

  it('refuses names that have no room in an error', async () => {
    const options = (length: number) => message(streamNamed('x'.repeat(length)), ANY);
    for (const method of ['Append', 'Delete', 'Tombstone']) {
      expect(await send(method, field(1, options(8_193))), method).to.equal(status.INVALID_ARGUMENT);
    }
    expect(
      await send('Read', field(1, message(field(1, message(streamNamed('x'.repeat(8_193)), field(3, EMPTY)))))),
    ).to.equal(status.INVALID_ARGUMENT);
    expect(await send('Append', field(1, options(8_192)), field(2, anEvent()))).to.equal(status.OK);
    // The longest that there may be, in the longest error about it.
    expect(await send('Tombstone', field(1, options(8_192)))).to.equal(status.OK);
    expect(await send('Append', field(1, options(8_192)), field(2, anEvent()))).to.equal(status.FAILED_PRECONDITION);
  });

  it('holds no more than 64 MiB of appends that never end, and goes on', async () => {
    const held = (size: number) =>
      message(field(1, uuid()), field(2, message(streamNamed('a'), ANY)), field(3, anEvent(Buffer.alloc(size))));
    const count = 70;
    expect(await send('BatchAppend', ...Array.from({ length: count }, () => held(MIB - 1_000)))).to.equal(
      status.RESOURCE_EXHAUSTED,
    );
    expect(await send('BatchAppend', held(1_000))).to.equal(status.OK);
  });

  it('says nothing of deadlines that are long past', async () => {
    const { child, port: other } = await spawnServer(temporaryDirectory(), {}, ['ignore', 'inherit', 'pipe', 'ipc']);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (part) => {
      said += part;
    });
    const past = field(6, numberField(1, varint(1n)));
    const late = new Client(`127.0.0.1:${other}`, credentials.createInsecure());
    const asIs = (bytes: Uint8Array) => Buffer.from(bytes);
    const call = late.makeBidiStreamRequest('/event_store.client.streams.Streams/BatchAppend', asIs, asIs);
    call.on('error', () => {});
    const answer = new Promise((resolve) => call.once('data', resolve));
    call.write(message(field(1, uuid()), field(2, message(streamNamed('a'), ANY, past))));
    await answer;
    call.cancel();
    late.close();
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    expect(said).to.equal('');
  });

  it('takes 50,000 events in one append, and refuses more of them than a function takes arguments', async () => {
    const target = message(streamNamed('many'), ANY);
    const append = (count: number) => send('Append', message(field(1, target), eventsOf(2, count)));
    const eventsOf = (name: number, count: number) =>
      Buffer.concat(Array<Uint8Array>(count).fill(field(name, anEvent())));
    expect(await append(50_000)).to.equal(status.OK);
    expect(await append(50_001)).to.equal(status.INVALID_ARGUMENT);
    expect(await append(150_000)).to.equal(status.INVALID_ARGUMENT);
    const batch = message(field(1, uuid()), field(2, target), eventsOf(3, 150_000), numberField(4, varint(1n)));
    expect(await send('BatchAppend', batch)).to.equal(status.OK);
    let revision = 0n;
    for await (const { event: last } of connect(port).readStream('many', {
      direction: BACKWARDS,
      fromRevision: END,
      maxCount: 1,
    })) {
      revision = last?.revision ?? 0n;
    }
    expect(revision).to.equal(49_999n);
  });
});
