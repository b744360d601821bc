import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { createKeys, showSecret } from '../../../../infra/keys.ts';
import { signatureHeaders } from '../../../../infra/outbound/signature.ts';

const keys = createKeys('m'.repeat(32));
const secret = keys.signingSecret(1, 1);
const body = Buffer.from('{"id":1,"event_name":"order.created","data":{"name":"Zoë"}}');
const verifier = (of: Buffer) => new Webhook(showSecret(of));

describe('signature', () => {
  it('is taken by the verifier of Standard Webhooks', () => {
    const headers = signatureHeaders('msg_1_2', Date.now(), body, [createSecretKey(secret)]);
    expect(verifier(secret).verify(body.toString(), headers)).to.deep.equal(JSON.parse(body.toString()));
  });

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
    refused(keys.signingSecret(1, 2), body.toString(), {});
  });

  it('is taken under the old secret and the new one while both sign', () => {
    const next = keys.signingSecret(1, 2);
    const headers = signatureHeaders(
      'msg_1_2',
      Date.now(),
      body,
      [next, secret].map((key) => createSecretKey(key)),
    );
    expect(headers['webhook-signature']?.split(' ')).to.have.length(2);
    for (const either of [secret, next]) verifier(either).verify(body.toString(), headers);
    expect(() => verifier(keys.signingSecret(1, 3)).verify(body.toString(), headers)).to.throw();
  });
});
