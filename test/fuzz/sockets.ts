import { once } from 'node:events';
import { expect } from 'chai';
import fc, { type Arbitrary } from 'fast-check';
import { openRaw } from '../support/raw-http.ts';
import { mutated } from './mutations.ts';
import { PATIENCE_MS } from './patience.ts';

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const junk = fc.uint8Array({ maxLength: 300 });

/** Requests that are fine as they stand, one after the other. */
const requests = fc
  .array(
    fc.constantFrom(
      'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n',
      'OPTIONS /v1/channels HTTP/1.1\r\nhost: localhost\r\n\r\n',
      'GET /v1/channels/1?limit=1 HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic cGtfMDo=\r\n\r\n',
      'POST /v1/channels HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"name":"a"}',
      'POST /v1/channels HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n6\r\nname=a\r\n0\r\nx: y\r\n\r\n',
      'PUT /v1/channels/1 HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}',
      'DELETE /v1/channels/1/webhooks/2 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n',
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((texts) => latin1(texts.join('')));

/** Bytes at the gateway's port, in pieces: whatever is answered is no fault of the server's, and the connection ends. */
export function gatewayBytes(url: string): fc.IAsyncProperty<[Uint8Array, number]> {
  const bytes = fc.oneof({ weight: 5, arbitrary: mutated(requests) }, { weight: 1, arbitrary: junk });
  return fc.asyncProperty(bytes, fc.integer({ min: 1, max: 400 }), async (all, piece) => {
    const text = await exchange(url, all, piece);
    const faults = [...text.matchAll(/(?:^|\n|\})HTTP\/1\.1 (5\d\d) /g)].filter(([, status]) => status !== '503');
    expect(faults, text).to.deep.equal([]);
  });
}

async function exchange(url: string, bytes: Uint8Array, piece: number): Promise<string> {
  const connection = await openRaw(url);
  for (let at = 0; at < bytes.length; at += piece) connection.write(bytes.subarray(at, at + piece));
  connection.socket.end();
  const late = AbortSignal.timeout(PATIENCE_MS);
  const hung = once(late, 'abort').then(() => {
    throw new Error(`the connection did not end; it said ${JSON.stringify(connection.received)}`);
  });
  return Promise.race([connection.closed, hung]);
}

const PREFACE = latin1('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const EMPTY_SETTINGS = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);

/** https://www.rfc-editor.org/rfc/rfc9113#section-4.1 */
const frame = fc
  .record({
    type: fc.integer({ min: 0, max: 12 }),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0xff),
    stream: fc.constantFrom(0, 1, 2, 3, 5, 0x7fffffff),
    payload: fc.uint8Array({ maxLength: 64 }),
  })
  .map(({ type, flags, stream, payload }) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  });

const http2 = fc
  .array(frame, { maxLength: 8 })
  .map((frames): Uint8Array => Buffer.concat([PREFACE, EMPTY_SETTINGS, ...frames]));

/** Bytes at the event store's port: it goes on serving others. */
export const eventstoreBytes = (url: string, whenServing: () => Promise<void>) =>
  bytesAt(url, fc.oneof(http2, mutated(http2), junk), whenServing);

const nats = fc
  .array(
    fc.constantFrom(
      'CONNECT {"verbose":false}\r\n',
      'PING\r\n',
      'SUB a 1\r\n',
      'PUB a 1\r\nx\r\n',
      'PUB $JS.API.INFO a 0\r\n\r\n',
      'HPUB a 12 13\r\nNATS/1.0\r\n\r\nx\r\n',
      'UNSUB 1\r\n',
      'PUB a 99999999999\r\n',
    ),
    { maxLength: 5 },
  )
  .map((lines) => latin1(lines.join('')));

/** The same at the port of the local nats-server. */
export const natsBytes = (url: string, whenServing: () => Promise<void>) =>
  bytesAt(url, fc.oneof(mutated(nats), junk), whenServing);

function bytesAt(
  url: string,
  bytes: Arbitrary<Uint8Array>,
  whenServing: () => Promise<void>,
): fc.IAsyncProperty<[Uint8Array]> {
  return fc.asyncProperty(bytes, async (all) => {
    const { socket, closed } = await openRaw(url);
    socket.write(all);
    await whenServing();
    socket.destroy();
    await closed;
  });
}
