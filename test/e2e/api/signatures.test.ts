import { webcrypto } from 'node:crypto';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { type Hit, type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Channel, useStack } from './support.ts';

/** The promise: whoever verifies deliveries, with the secret or with the public key, takes each of them, also while it changes over from the old to the new one. */
describe('signatures of deliveries', () => {
  const { call, newChannel } = useStack();
  let receiver: Receiver;
  let channel: Channel;
  let path: string;
  before(async () => {
    receiver = await startReceiver();
    channel = await newChannel();
    path = `/v1/channels/${channel.id}`;
  });
  after(() => receiver?.close());

  async function post(what: string, json: object) {
    const { status, body } = await call('POST', path + what, { key: channel.publisher_key, json });
    expect(status, JSON.stringify(body)).to.be.within(200, 201);
    return body;
  }
  /** Publishes an event; resolves with what the webhook at this path got of it. */
  async function deliver(to: string): Promise<Hit> {
    const { id } = await post('/events', { event_name: 'a', data: { text: 'Grüße 🚀' } });
    const [hit] = await receiver.whenHits(1, (hit) => hit.path === to && JSON.parse(hit.body.toString()).id === id);
    return hit as Hit;
  }

  it('are taken by standardwebhooks and svix, with the old secret and the new one', async () => {
    const hook = await post('/webhooks', { webhook_url: receiver.url('/v1') });
    const verify = (secret: string, { body, headers }: Hit) => {
      for (const Verifier of [Webhook, SvixWebhook]) {
        new Verifier(secret).verify(body.toString(), headers as Record<string, string>);
      }
    };
    const before = await deliver('/v1');
    verify(hook.signing_secret, before);
    const { signing_secret } = await post(`/webhooks/${hook.id}/rotate_secret`, {});
    expect(() => verify(signing_secret, before)).to.throw();
    const during = await deliver('/v1');
    for (const secret of [hook.signing_secret, signing_secret]) verify(secret, during);
    expect(String(during.headers['webhook-signature']).split(' ')).to.have.length(2);
  });

  it('are verified with the public keys that anybody may read, the old one and the new one', async () => {
    const hook = await post('/webhooks', { webhook_url: receiver.url('/v1a'), signatures: ['v1a'] });
    const publicKeys = async (): Promise<string[]> => {
      const { status, body } = await call('GET', `${path}/webhooks/${hook.id}/public_key`);
      expect(status).to.equal(200);
      return body.public_keys;
    };
    const [old = ''] = await publicKeys();
    expect(await signersOf(await deliver('/v1a'), [old])).to.deep.equal([old]);
    await post(`/webhooks/${hook.id}/rotate_secret`, {});
    const both = await publicKeys();
    expect(both).to.have.length(2).and.to.include(old);
    expect(await signersOf(await deliver('/v1a'), both)).to.deep.equal(both);
  });
});

/** By which of these keys each signature of a delivery was made, in the order of the header. */
async function signersOf({ body, headers }: Hit, publicKeys: readonly string[]): Promise<(string | undefined)[]> {
  const content = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]);
  const keys = await Promise.all(
    publicKeys.map((shown) => {
      const raw = Buffer.from(shown.slice('whpk_'.length), 'base64');
      return webcrypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
    }),
  );
  const signatures = String(headers['webhook-signature']).split(' ');
  return Promise.all(
    signatures.map(async (signature) => {
      const [scheme, bytes = ''] = signature.split(',');
      expect(scheme).to.equal('v1a');
      const verified = await Promise.all(
        keys.map((key) => webcrypto.subtle.verify('Ed25519', key, Buffer.from(bytes, 'base64'), content)),
      );
      return publicKeys[verified.indexOf(true)];
    }),
  );
}
