import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { Client, credentials, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import fc from 'fast-check';
import { MESSAGES, messageOf } from './messages.ts';
import { mutated } from './mutations.ts';
import { PATIENCE_MS } from './patience.ts';

interface Call {
  readonly method: string;
  readonly messages: readonly Uint8Array[];
}

const streams = (name: keyof typeof MESSAGES) => `/event_store.client.streams.Streams/${name}`;
const junk = fc.uint8Array({ maxLength: 100 });

const calls = fc.oneof(
  ...Object.entries(MESSAGES).map(([name, kind]) => {
    const message = messageOf(kind);
    const messages = fc.array(fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: mutated(message) }), {
      maxLength: 4,
    });
    return messages.map((all): Call => ({ method: streams(name as keyof typeof MESSAGES), messages: all }));
  }),
  fc.record({
    method: fc.constantFrom(
      '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
      '/event_store.client.gossip.Gossip/Read',
      '/local_eventstore.Backup/HoldFile',
      '/event_store.client.users.Users/Create',
      '/nowhere/Nothing',
    ),
    messages: fc.array(junk, { maxLength: 2 }),
  }),
);

/** What a call may end with: that the server does not know what went wrong is a fault of the server's. */
const FAULTS: readonly number[] = [status.UNKNOWN, status.DEADLINE_EXCEEDED, status.UNAVAILABLE, status.DATA_LOSS];

/** Calls of every method, with messages that are nearly right: each is answered or refused in time. */
export function storeCalls(address: string): fc.IAsyncProperty<[Call]> & { close(): void } {
  const client = new Client(address, credentials.createInsecure());
  const property = fc.asyncProperty(calls, async (call) => {
    const { code, details } = await made(client, call);
    expect(FAULTS, `${status[code]} ${details}`).not.to.include(code);
  });
  return Object.assign(property, { close: () => client.close() });
}

/** Its status; OK as soon as it answers anything, since a subscription has no end. */
function made(client: Client, { method, messages }: Call): Promise<{ code: number; details: string }> {
  const asIs = (message: Uint8Array) => Buffer.from(message);
  const call = client.makeBidiStreamRequest(method, asIs, asIs, { deadline: Date.now() + PATIENCE_MS });
  return new Promise((resolve) => {
    call.on('error', () => {});
    call.on('status', resolve);
    call.on('data', () => {
      resolve({ code: status.OK, details: 'it answers' });
      call.cancel();
    });
    for (const message of messages) call.write(message);
    call.end();
  });
}

const names = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((name) => name.isWellFormed() && !name.startsWith('$'));

/** What is written by the client comes back as it was, whatever it is called. */
export function storeRoundTrip(url: string): fc.IAsyncProperty<[string, string, unknown]> & { close(): void } {
  const client = EventStoreDBClient.connectionString(url);
  const property = fc.asyncProperty(names, names, fc.jsonValue({ maxDepth: 3 }), async (name, type, data) => {
    const stream = `${randomUUID()}-${name}`;
    const event = jsonEvent({ type, data: { data } as Record<string, unknown>, metadata: { type } });
    await client.appendToStream(stream, [event]);
    for await (const { event: read } of client.readStream(stream)) {
      expect(read?.streamId).to.equal(stream);
      expect(read?.type).to.equal(type);
      expect(JSON.stringify(read?.data)).to.equal(JSON.stringify(event.data));
      expect(read?.metadata).to.deep.equal({ type });
    }
  });
  return Object.assign(property, { close: () => client.dispose() });
}
