import { expect } from 'chai';
import { type NewFact, stream } from '../../../domain/facts.ts';
import { connectEventStore, type EventStore } from '../../../infra/event-store/client.ts';
import { type NamedLeaf, namedLeaf, stretchOf } from '../../../projections/merkle/remains.ts';
import { type Api, apiAt } from '../../support/api.ts';
import { audit } from '../../support/audit.ts';
import { newFact } from '../../support/sample.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** Whoever can write to the log can truncate a stream: `verify` says so where that was not an erasure. */
describe('webhooks-audit verify, of a log that was truncated', function () {
  this.timeout(120_000);
  let stack: Stack;
  let api: Api;
  let store: EventStore;
  let channel: { id: number; publisher_key: string };

  beforeEach(async () => {
    stack = await startStack({ env: { TREE_HEAD_INTERVAL: '100ms' } });
    api = apiAt(stack.url);
    store = connectEventStore((await stack.run()).eventstoreUrl ?? '');
    channel = await api.newChannel();
    for (let n = 0; n < 3; n++) await api.publish(channel);
    const isSigned = async () => ((await api.call('GET', '/v1/checkpoint')).body.tree_size ?? 0) >= 4;
    await waitFor('a head over all of it', isSigned);
  });
  afterEach(async () => {
    await store?.close();
    await stack?.stop();
  });

  /** Truncates the channel's events as an erasure does, with what is said to remain of them. */
  async function truncate(leafOf: ((leaf: NamedLeaf) => NamedLeaf) | undefined) {
    const name = stream.events(channel.id);
    const events = await store.storedIn(name, 0, 10);
    const stretches = leafOf && [stretchOf(events.map((event) => leafOf(namedLeaf(event))))];
    const data = { channel_id: channel.id, stretches: stretches ?? [] };
    if (stretches) await store.append(stream.remains, [newFact({ type: 'FactsErased', data }) as NewFact], 'any');
    await store.truncate(name, events.length);
    await waitFor('them to be gone', async () => (await store.storedAt(events[2]?.position ?? 0)) === undefined);
    await api.publish(channel);
  }
  async function verify() {
    const { code, stdout, stderr } = await audit(stack.dataDir, 'verify');
    expect(code, stderr).to.equal(1);
    return stdout;
  }

  it('says what was removed, where nothing remains of it', async () => {
    await truncate(undefined);
    const found = await verify();
    expect(found).to.match(new RegExp(`events-${channel.id}: revisions 0 to 2 were removed`));
    expect(found).to.match(/the head that was signed at .* is not that of this log/);
  });

  it('says that the log is not the one that was signed, where something else remains than there was', async () => {
    await truncate((leaf) => ({ ...leaf, hash: Buffer.from(leaf.hash).fill(7, 0, 1) }));
    expect(await verify()).to.match(/the head that was signed at .* is not that of this log/);
  });

  it('says so where the right remains are there, but nobody has asked for an erasure', async () => {
    await truncate((leaf) => leaf);
    const found = await verify();
    expect(found).to.include(`facts of channel ${channel.id} were erased, but nobody asked for that`);
    expect(found).to.not.match(/is not that of this log|were removed/);
  });

  it('says so where what is kept for later is not the leaf of the fact that is still there', async () => {
    const [event] = await store.storedIn(stream.events(channel.id), 1, 1);
    if (!event) throw new Error('there is no such event');
    const stretches = [stretchOf([{ ...namedLeaf(event), hash: Buffer.alloc(32, 7) }])];
    const data = { channel_id: channel.id, stretches };
    await store.append(stream.remains, [newFact({ type: 'FactsErased', data }) as NewFact], 'any');
    expect(await verify()).to.include(`events-${channel.id}@1: what is kept for the time when it is erased`);
  });
});
