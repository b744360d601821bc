import { expect } from 'chai';
import { type Cluster, type Node, startCluster } from '../../support/cluster.ts';
import { type Channel, startLoad, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: nodes over one NATS cluster and one event store share the work, one relay leads, and whatever dies or stands still, a node, the leader, a
 * member of the NATS cluster or all that it holds, nothing is lost, and nothing is POSTed twice but what was under way where a node died or stood still.
 */
describe('nodes over one NATS cluster', function () {
  this.timeout(240_000);
  const WEBHOOKS = 32;
  const ENOUGH = 30;
  /** A POST that was sent before a kill may be complete at the receiver a moment after it. */
  const MOMENT_MS = 1_000;
  let receiver: Receiver;
  let cluster: Cluster;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    const env = { DELIVERY_TIMEOUT: '5s', RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m', LOG_LEVEL: 'debug' };
    cluster = await startCluster({ env });
    channel = await first().api().newChannel();
    for (let n = 0; n < WEBHOOKS; n++)
      await first()
        .api()
        .newWebhook(channel, receiver.url(`/${n}`));
    await waitFor('a leader', () => cluster.leader());
  });
  beforeEach(() => receiver.reset());
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const node of cluster.nodes) console.log(node.name, warningsOf(node));
    for (const lines of cluster.nats.logs()) console.log('nats-server', lines);
  });
  after(async () => {
    await cluster?.stop();
    await receiver?.close();
  });

  const first = () => cluster.nodes[0] as Node;
  const leader = async () => (await waitFor('a relay that leads', () => cluster.leader())) as Node;
  const other = (node: Node) => cluster.nodes.find((candidate) => candidate !== node) as Node;
  const attempted = (node: Node) => node.output().split('"msg":"attempted"').length - 1;

  /** Publishes through `node`, lets `fault` happen amid it, and goes on until as much again is accepted; what was accepted. */
  async function underLoad(node: Node, fault: () => Promise<void>): Promise<readonly number[]> {
    const load = startLoad(channel, node.api, { width: 2, pauseMs: 100 });
    await load.whenAccepted(ENOUGH);
    await fault();
    await load.whenAccepted(load.accepted.length + ENOUGH);
    return load.stop();
  }

  /** All that was accepted has been delivered, and each POST is in the log; those that are not were under way at `endedMs`, when a node died or stood still. */
  async function expectDelivered(accepted: readonly number[], node: Node, endedMs = 0) {
    await whenAllDelivered(node.api(), channel, accepted, WEBHOOKS);
    const hitsMs = new Map<string, number[]>();
    for (const { headers, atMs } of receiver.hits) {
      const key = `${headers['webhook-id']}`;
      hitsMs.set(key, [...(hitsMs.get(key) ?? []), atMs]);
    }
    const wrong: object[] = [];
    for (const id of accepted) {
      for (const { webhook_id, attempts } of await node.api().log(channel, id)) {
        const hits = hitsMs.get(`msg_${id}_${webhook_id}`) ?? [];
        const mayBeMore = hits.some((ms) => ms <= endedMs + MOMENT_MS);
        const isRight = hits.length === attempts.length || (hits.length > attempts.length && mayBeMore);
        if (!isRight) wrong.push({ id, webhook_id, attempts, hits });
      }
    }
    expect(wrong).to.deep.equal([]);
  }

  it('share the work evenly, and nothing is delivered twice', async () => {
    const before = cluster.nodes.map(attempted);
    const accepted = await underLoad(first(), async () => {});
    await expectDelivered(accepted, first());
    const shares = cluster.nodes.map((node, index) => attempted(node) - (before[index] as number));
    const total = accepted.length * WEBHOOKS;
    expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(total);
    for (const share of shares) expect(share / total).to.be.within(0.3, 0.7);
    const leaders = cluster.nodes.filter((node) => /this relay leads"/.test(node.output()));
    expect(leaders).to.have.length(1);
  });

  it('lose nothing when the leader is killed: another leads, and takes over its webhooks', async () => {
    const killed = await leader();
    const left = other(killed);
    let killedMs = 0;
    const accepted = await underLoad(left, async () => {
      killedMs = Date.now();
      await killed.kill9();
      await waitFor('another leader', () => cluster.leader() === left);
    });
    await expectDelivered(accepted, left, killedMs);
    await killed.start();
  });

  it('let no relay go on as leader that stood still while another took over', async () => {
    const stopped = await leader();
    const left = other(stopped);
    let stoppedMs = 0;
    const accepted = await underLoad(left, async () => {
      stoppedMs = Date.now();
      stopped.signal('SIGSTOP');
      await waitFor('another leader', () => cluster.leader() === left);
      stopped.signal('SIGCONT');
      await waitFor('its end as leader', () => /this relay leads no longer/.test(stopped.output()));
    });
    await expectDelivered(accepted, left, stoppedMs);
    expect(cluster.leader()).to.equal(left);
  });

  it('lose nothing when the node that does not lead is killed', async () => {
    const left = await leader();
    const killed = other(left);
    let killedMs = 0;
    const accepted = await underLoad(left, async () => {
      killedMs = Date.now();
      await killed.kill9();
    });
    await expectDelivered(accepted, left, killedMs);
    expect(cluster.leader()).to.equal(left);
    await killed.start();
  });

  for (const index of [0, 1, 2]) {
    it(`lose nothing when member ${index + 1} of the NATS cluster is killed, and comes back`, async () => {
      await cluster.nats.whenWhole();
      const member = cluster.nats.members[index];
      const accepted = await underLoad(first(), async () => {
        await member?.kill9();
      });
      await expectDelivered(accepted, first());
      await member?.start();
    });
  }

  it('lose nothing when all that the NATS cluster holds is gone', async () => {
    const accepted = await underLoad(first(), cluster.nats.wipeAll);
    await expectDelivered(accepted, first());
  });

  it('take one that joins with an empty directory for what it is: it empties no queue, and leads when all others are gone', async () => {
    receiver.reply({ status: 500 });
    const failing = await first().api().publish(channel);
    await receiver.whenHits(WEBHOOKS);
    const joined = await cluster.startNode();
    const leading = await leader();
    expect(leading).to.not.equal(joined);
    await Promise.all(cluster.nodes.filter((node) => node !== joined).map((node) => node.stop()));
    await waitFor('its lead', () => /this relay leads"/.test(joined.output()));
    receiver.reply({});
    const load = startLoad(channel, joined.api, { width: 1 });
    await load.whenAccepted(1);
    const accepted = await load.stop();
    await whenAllDelivered(joined.api(), channel, [failing.id, ...accepted], WEBHOOKS);
    expect(joined.output()).to.not.contain('everything pending is on it again');
    const hits = receiver.hits.filter(({ body }) => accepted.includes(JSON.parse(body.toString()).id));
    expect(hits).to.have.length(accepted.length * WEBHOOKS);
  });
});

/** The last of them. */
const warningsOf = (node: Node): string[] =>
  node
    .output()
    .split('\n')
    .filter((line) => /"level":[4-6]0/.test(line))
    .slice(-20);
