import { createSecretKey, webcrypto } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { createKeys, showPublicKey, showSecret } from '../../../../infra/keys.ts';
import { signatureHeaders } from '../../../../infra/outbound/signature.ts';

const keys = createKeys(['m'.repeat(32)]);
const secret = keys.signingSecret(1, { version: 1 });
const body = Buffer.from('{"id":1,"event_name":"order.created","data":{"name":"Zoë"}}');
const verifier = (of: Buffer) => new Webhook(showSecret(of));
const VERIFIERS = { standardwebhooks: Webhook, svix: SvixWebhook };

describe('signature', () => {
  it('is taken by the verifier of Standard Webhooks', () => {
    const headers = signatureHeaders('msg_1_2', Date.now(), body, [createSecretKey(secret)]);
    expect(verifier(secret).verify(body.toString(), headers)).to.deep.equal(JSON.parse(body.toString()));
  });

  for (const [name, Verifier] of Object.entries(VERIFIERS)) {
    it(`is taken by ${name} under the old secret and the new one while both sign, and under no other`, () => {
      const [old, next, other] = [1, 2, 3].map((version) => keys.signingSecret(1, { version })) as [
        Buffer,
        Buffer,
        Buffer,
      ];
      const verify = (of: Buffer, headers: Record<string, string>) =>
        new Verifier(showSecret(of)).verify(body.toString(), headers);
      const sign = (...secrets: Buffer[]) =>
        signatureHeaders(
          'msg_1_2',
          Date.now(),
          body,
          secrets.map((of) => createSecretKey(of)),
        );
      const both = sign(next, old);
      expect(both['webhook-signature']).to.match(/^v1,[^ ]+ v1,[^ ]+$/);
      for (const either of [old, next]) expect(verify(either, both)).to.deep.equal(JSON.parse(body.toString()));
      expect(() => verify(other, both)).to.throw();
      expect(() => verify(old, sign(next))).to.throw();
      // A verifier passes over the schemes that it does not know.
      const mixed = signatureHeaders('msg_1_2', Date.now(), body, [
        keys.signingKey(1, { version: 1 }),
        createSecretKey(next),
      ]);
      verify(next, mixed);
    });
  }

  it('is what that library signs itself', () => {
    const at = new Date('2026-11-23T09:00:00.999Z');
    const id = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(id, fc.json(), (id, json) => {
        const headers = signatureHeaders(id, at.getTime(), Buffer.from(json), [createSecretKey(secret)]);
        return headers['webhook-signature'] === verifier(secret).sign(id, at, json);
      }),
    );
  });

  it('is refused for another body, id, time or secret', () => {
    const headers = signatureHeaders('msg_1_2', Date.now(), body, [createSecretKey(secret)]);
    const refused = (of: Buffer, text: string, changed: object) =>
      expect(() => verifier(of).verify(text, { ...headers, ...changed })).to.throw();
    refused(secret, `${body} `, {});
    refused(secret, body.toString(), { 'webhook-id': 'msg_1_3' });
    refused(secret, body.toString(), { 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1) });
    refused(keys.signingSecret(1, { version: 2 }), body.toString(), {});
  });

  describe('with a public key', () => {
    const signingKey = keys.signingKey(1, { version: 1 });

    /** Written after the specification, with WebCrypto: the libraries verify v1 alone. */
    async function isSigned(shown: string, headers: Record<string, string>, text: string): Promise<boolean> {
      expect(shown).to.match(/^whpk_[A-Za-z0-9+/]{43}=$/);
      const raw = Buffer.from(shown.slice('whpk_'.length), 'base64');
      const key = await webcrypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
      const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`);
      const [scheme, signature = ''] = headers['webhook-signature']?.split(',') ?? [];
      expect(scheme).to.equal('v1a');
      return webcrypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64'), content);
    }

    it('is verified by it, and for no other body, id, time or key', async () => {
      const headers = signatureHeaders('msg_1_2', Date.now(), body, [signingKey]);
      const shown = showPublicKey(signingKey);
      expect(await isSigned(shown, headers, body.toString())).to.equal(true);
      expect(await isSigned(shown, headers, `${body} `)).to.equal(false);
      expect(await isSigned(shown, { ...headers, 'webhook-id': 'msg_1_3' }, body.toString())).to.equal(false);
      expect(await isSigned(shown, { ...headers, 'webhook-timestamp': '1' }, body.toString())).to.equal(false);
      const other = showPublicKey(keys.signingKey(1, { version: 2 }));
      expect(await isSigned(other, headers, body.toString())).to.equal(false);
    });

    it('stays what it is: who has kept a public key hangs on it', () => {
      const pinned = createKeys(['0123456789abcdef0123456789abcdef']).signingKey(1, { version: 1 });
      expect(showPublicKey(pinned)).to.equal('whpk_41TkzOO01RxbnmYHchnOcQrxE03lLZ4LDyEErFSmaaA=');
    });
  });
});
