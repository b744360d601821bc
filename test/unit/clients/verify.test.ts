import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import {
  type ReceivedRequest,
  SignatureError,
  type SignatureFault,
  verify,
} from '../../../clients/typescript/src/index.ts';

const NOW_S = 1_790_000_000;
const nowMs = NOW_S * 1_000;
const BODY = JSON.stringify({ id: 567890, event_name: 'request.created', data: { text: 'Grüße 🚀' } });
const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`;

function v1(secret: string, { id = 'msg_1', at = NOW_S, body = BODY } = {}): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
}

function request(signature: string, { id = 'msg_1', at = String(NOW_S), body = BODY } = {}): ReceivedRequest {
  return { headers: { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature }, body };
}

async function faultOf(verified: Promise<unknown>): Promise<SignatureFault | undefined> {
  const error = await verified.then(
    () => undefined,
    (error) => error,
  );
  if (error !== undefined && !(error instanceof SignatureError)) throw error;
  return error?.fault;
}

describe('verify of the client', () => {
  const secret = newSecret();

  it('takes what the secret has signed, and tells the event and its id', async () => {
    const { id, event } = await verify(secret, request(v1(secret)), { nowMs });
    expect(id).to.equal('msg_1');
    expect(event).to.deep.equal(JSON.parse(BODY));
  });

  it('takes what another implementation of Standard Webhooks signs', async () => {
    const signature = new Webhook(secret).sign('msg_1', new Date(nowMs), BODY);
    expect(await faultOf(verify(secret, request(signature), { nowMs }))).to.equal(undefined);
  });

  it('takes headers and bodies in the forms that frameworks have', async () => {
    const { headers, body } = request(v1(secret)) as { headers: Record<string, string>; body: string };
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
    for (const form of [headers, upper, new Headers(headers)]) {
      for (const raw of [body, Buffer.from(body), new TextEncoder().encode(body)]) {
        expect(await faultOf(verify(secret, { headers: form, body: raw }, { nowMs }))).to.equal(undefined);
      }
    }
  });

  it('takes one of several signatures, and knows one of several keys: a rotation', async () => {
    const next = newSecret();
    const both = `${v1(next)} ${v1(secret)}`;
    for (const known of [secret, next, [secret, next], [newSecret(), secret]]) {
      expect(await faultOf(verify(known, request(both), { nowMs }))).to.equal(undefined);
    }
    expect(await faultOf(verify([newSecret(), newSecret()], request(both), { nowMs }))).to.equal(
      'no-signature-matches',
    );
  });

  it('verifies Ed25519 with a public key', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const signature = sign(null, Buffer.from(`msg_1.${NOW_S}.${BODY}`), privateKey).toString('base64');
    const key = `whpk_${raw.toString('base64')}`;
    expect(await faultOf(verify(key, request(`v1a,${signature}`), { nowMs }))).to.equal(undefined);
    expect(await faultOf(verify([secret, key], request(`v1,AAAA v1a,${signature}`), { nowMs }))).to.equal(undefined);
    const other = request(`v1a,${signature}`, { body: `${BODY} ` });
    expect(await faultOf(verify(key, other, { nowMs }))).to.equal('no-signature-matches');
  });

  it('refuses whatever was changed on the way', async () => {
    const signature = v1(secret);
    const changed = [{ body: BODY.replace('567890', '567891') }, { id: 'msg_2' }, { at: String(NOW_S + 1) }];
    for (const what of changed) {
      expect(await faultOf(verify(secret, request(signature, what), { nowMs }))).to.equal('no-signature-matches');
    }
    for (const other of [
      'v1,',
      'v1',
      'v1,AAAA',
      'v1,%%%',
      'v2,AAAA',
      signature.replace('v1,', 'v1a,'),
      `${signature}A`,
    ]) {
      expect(await faultOf(verify(secret, request(other), { nowMs })), other).to.equal('no-signature-matches');
    }
  });

  it('refuses what was signed too long ago, or in the future', async () => {
    const at = (seconds: number) => verify(secret, request(v1(secret)), { nowMs: nowMs + seconds * 1_000 });
    expect(await faultOf(at(300))).to.equal(undefined);
    expect(await faultOf(at(301))).to.equal('timestamp-too-old');
    expect(await faultOf(at(-300))).to.equal(undefined);
    expect(await faultOf(at(-301))).to.equal('timestamp-too-new');
    const patient = { nowMs: nowMs + 3_600_000, toleranceSeconds: 3_600 };
    expect(await faultOf(verify(secret, request(v1(secret)), patient))).to.equal(undefined);
    expect(await faultOf(verify(secret, request(v1(secret), { at: 'soon' }), { nowMs }))).to.equal(
      'timestamp-malformed',
    );
  });

  it('names what is missing, and what is no JSON', async () => {
    const { headers, body } = request(v1(secret)) as { headers: Record<string, string>; body: string };
    for (const name of Object.keys(headers)) {
      const { [name]: _, ...rest } = headers;
      expect(await faultOf(verify(secret, { headers: rest, body }, { nowMs })), name).to.equal('headers-missing');
    }
    const text = request(v1(secret, { body: 'text' }), { body: 'text' });
    expect(await faultOf(verify(secret, text, { nowMs }))).to.equal('body-malformed');
  });

  it('says what it was given wrongly', async () => {
    const parsed = { ...request(v1(secret)), body: JSON.parse(BODY) };
    const tries: [Parameters<typeof verify>, string][] = [
      [[secret, parsed], 'the body must be as it came'],
      [[[], request('v1,AAAA')], 'there is no key'],
      [['pk_1', request('v1,AAAA'), { nowMs }], 'whsec_ or whpk_'],
      [['whsec_%', request('v1,AAAA'), { nowMs }], 'whsec_ or whpk_'],
    ];
    for (const [args, message] of tries) {
      const error = await verify(...args).then(
        () => undefined,
        (error) => error,
      );
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.contain(message);
    }
  });
});
