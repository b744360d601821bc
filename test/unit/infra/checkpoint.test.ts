import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { openCheckpoint, signCheckpoint } from '../../../infra/checkpoint.ts';
import { createKeys, publicKeyOf } from '../../../infra/keys.ts';
import { loadVerifier } from '../../support/verifier.ts';

const SECRET = 'a master secret of more than thirty-two characters';
const AT_MS = Date.parse('2026-11-24T09:00:00.000Z');
const root = createHash('sha256').update('a root').digest();
const key = createKeys([SECRET]).treeHeadKey();
const publicKey = publicKeyOf(key);
const head = signCheckpoint(key, 12, root, AT_MS);

describe('a signed checkpoint', () => {
  it('is a note of origin, size, root and time, signed with ed25519', () => {
    const origin = `webhooks-${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}`;
    const [text = '', signature] = head.note.split('\n\n');
    expect(text).to.equal([origin, '12', root.toString('base64'), 'time 2026-11-24T09:00:00.000Z'].join('\n'));
    expect(signature).to.match(new RegExp(`^— ${origin} [A-Za-z0-9+/]+=*\n$`));
    expect(head).to.include({ tree_size: 12, root_hash: root.toString('base64'), at: '2026-11-24T09:00:00.000Z' });
  });

  it('is read by whoever has the public key, also by the verifier in docs/', async () => {
    const said = { tree_size: 12, root_hash: root.toString('base64'), at: '2026-11-24T09:00:00.000Z' };
    expect(openCheckpoint(head.note, Buffer.from(head.public_key, 'base64'))).to.deep.equal(said);
    const { openCheckpoint: openByVerifier } = await loadVerifier();
    expect(openByVerifier(head.note, publicKey)).to.include({ size: 12, time: '2026-11-24T09:00:00.000Z' });
  });

  it('is refused with anything changed, or under another key', async () => {
    const { openCheckpoint: openByVerifier } = await loadVerifier();
    const others = [
      head.note.replace('\n12\n', '\n13\n'),
      head.note.replace('09:00', '09:01'),
      head.note.replace(/^webhooks/, 'webhookz'),
      head.note.replace(/— webhooks/, '— webhookz'),
      head.note.replace(root.toString('base64'), createHash('sha256').update('another').digest('base64')),
      head.note.replace(/(?<=— \S+ \S{20})./, (char) => (char === 'A' ? 'B' : 'A')),
      head.note.split('\n\n')[0] as string,
      '',
    ];
    for (const note of others) {
      expect(() => openCheckpoint(note, publicKey), note).to.throw(/signature|checkpoint/);
      expect(() => openByVerifier(note, publicKey), note).to.throw();
    }
    const another = publicKeyOf(createKeys([`${SECRET}.`]).treeHeadKey());
    expect(() => openCheckpoint(head.note, another)).to.throw('signature');
    expect(() => openByVerifier(head.note, another)).to.throw('not signed');
  });

  it('has a key that follows from the master secret', () => {
    expect(publicKeyOf(createKeys([SECRET]).treeHeadKey())).to.deep.equal(publicKey);
    expect(publicKey).to.have.length(32);
  });
});
