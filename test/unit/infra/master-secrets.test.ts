import { expect } from 'chai';
import { createKeys } from '../../../infra/keys.ts';
import { MasterSecretMissing } from '../../../infra/master-secrets.ts';

const [OLD, NEW] = ['the old master secret, 32 chars..', 'the new master secret, 32 chars..'];
const channel = { id: 1, key_version: 1 };

describe('master secrets', () => {
  const old = createKeys([OLD]);
  const grown = createKeys([NEW, OLD]);

  it('have names that say nothing of them and stay what they are', () => {
    expect(old.madeWith).to.equal('a79c54b93c90');
    expect(old.names).to.deep.equal([old.madeWith]);
    expect(grown.names).to.deep.equal([grown.madeWith, old.madeWith]);
    expect(grown.madeWith)
      .to.match(/^[0-9a-f]{12}$/)
      .and.not.to.equal(old.madeWith);
  });

  it('leave what was made as it is where the list grows', () => {
    for (const key_made_with of [old.madeWith, null, undefined]) {
      const holder = { ...channel, key_made_with };
      expect(grown.publisherKey(holder)).to.equal(old.publisherKey(holder));
      expect(grown.subscriberKey(holder)).to.equal(old.subscriberKey(holder));
      const secret = { version: 1, made_with: key_made_with };
      expect(grown.signingSecret(1, secret)).to.deep.equal(old.signingSecret(1, secret));
      expect(grown.signingKey(1, secret).equals(old.signingKey(1, secret))).to.equal(true);
      expect(grown.headerKey(1, key_made_with).equals(old.headerKey(1, key_made_with))).to.equal(true);
    }
  });

  it('make what is new with the first', () => {
    const anew = { ...channel, key_made_with: grown.madeWith };
    expect(grown.publisherKey(anew)).to.equal(createKeys([NEW]).publisherKey(anew));
    expect(grown.publisherKey(anew)).not.to.equal(grown.publisherKey(channel));
  });

  it('mean the last where a fact names none, unless another is said to be meant', () => {
    expect(createKeys([OLD, NEW], OLD).publisherKey(channel)).to.equal(old.publisherKey(channel));
    expect(createKeys([OLD, NEW]).publisherKey(channel)).not.to.equal(old.publisherKey(channel));
  });

  it('are missed by name', () => {
    const holder = { ...channel, key_made_with: old.madeWith };
    expect(() => createKeys([NEW]).publisherKey(holder)).to.throw(MasterSecretMissing, old.madeWith);
  });
});
