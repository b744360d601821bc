import { expect } from 'chai';
import { createKeys, sameKey, showSecret } from '../../../infra/keys.ts';

const keys = createKeys(['0123456789abcdef0123456789abcdef']);

describe('keys', () => {
  it('stay what they are: everything that was handed out hangs on it', () => {
    expect(keys.publisherKey({ id: 1, key_version: 1 })).to.equal('pk_4a2a38015e1eaa2cc18f632eed3f3a865e62f5b3');
    expect(keys.subscriberKey({ id: 1, key_version: 1 })).to.equal('sk_d958cd43a08af45bd9229d4d687fc86020f0f981');
    expect(showSecret(keys.signingSecret(1, { version: 1 }))).to.equal(
      'whsec_hVGfCFJhGOdSIHwGdCUtegP85yEDJh35w6ZGavWu2rI=',
    );
  });

  it('have the form that the API promises', () => {
    expect(keys.publisherKey({ id: 2 ** 53 - 1, key_version: 7 })).to.match(/^pk_[0-9a-f]{40}$/);
    expect(keys.subscriberKey({ id: 2 ** 53 - 1, key_version: 7 })).to.match(/^sk_[0-9a-f]{40}$/);
    expect(showSecret(keys.signingSecret(1, { version: 1 }))).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(keys.signingSecret(1, { version: 1 })).to.have.length(32);
  });

  it('differ by kind, resource, version and master secret', () => {
    const other = createKeys(['another master secret, 32 chars.']);
    const all = [1, 2, 11, 12, 111].flatMap((id) =>
      [1, 2, 11, 12].flatMap((key_version) =>
        [keys, other].flatMap((of) => [
          of.publisherKey({ id, key_version }).slice(3),
          of.subscriberKey({ id, key_version }).slice(3),
          of.signingSecret(id, { version: key_version }).toString('hex', 0, 20),
        ]),
      ),
    );
    expect(new Set(all).size).to.equal(all.length);
  });

  it('are compared whole', () => {
    const key = keys.publisherKey({ id: 1, key_version: 1 });
    expect(sameKey(key, `${key}`)).to.equal(true);
    for (const wrong of ['', key.slice(0, -1), `${key}0`, `q${key.slice(1)}`, key.toUpperCase(), 'ü']) {
      expect(sameKey(key, wrong), wrong).to.equal(false);
    }
    // As long in characters, longer in bytes.
    expect(sameKey('aa', 'üü')).to.equal(false);
    expect(sameKey('', '')).to.equal(true);
  });
});
