import { expect } from 'chai';
import { pino } from 'pino';
import { connectQueue, type Queue } from '../../../infra/queue/client.ts';
import { decodeMessage } from '../../../infra/queue/message.ts';
import { SHARDS, shardOf, subjectOfShard } from '../../../infra/queue/shards.ts';
import { createNatsCluster, type NatsCluster } from '../../support/nats-cluster.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: what nobody leads holds up its own webhooks alone; and where that takes long, it is made anew, and nothing is lost. */
describe('a consumer that no member of a NATS cluster leads', function () {
  this.timeout(120_000);
  const log = pino({ level: 'silent' });
  const WEBHOOKS = Array.from({ length: 200 }, (_, n) => n);
  const LEADERLESS = shardOf(WEBHOOKS[0] as number);
  const OTHERS = WEBHOOKS.filter((id) => shardOf(id) !== LEADERLESS);
  let nats: NatsCluster;
  let stop = async () => {};
  let sent = 0;

  before(async () => {
    nats = await createNatsCluster();
    await nats.start();
    const { publish, whenTaken } = await start({ leaderlessMs: Number.POSITIVE_INFINITY });
    await publish(WEBHOOKS);
    await whenTaken(WEBHOOKS);
    const alone = await nats.leaveToOne(subjectOfShard(LEADERLESS));
    await alone.kill9();
    await publish(OTHERS);
    await whenTaken(OTHERS);
  });
  afterEach(() => stop());
  after(async () => {
    await stop();
    await nats?.stop();
  });

  /** One who publishes and one who takes, over a connection of their own. */
  async function start({ leaderlessMs }: { leaderlessMs: number }) {
    await stop();
    const queue = await connectQueue(nats.url, { ackWaitMs: 10_000, log, replicas: 3, leaderlessMs });
    const taken = new Set<number>();
    const over = new AbortController();
    const working = work(queue, over.signal, (webhookId) => taken.add(webhookId));
    stop = async () => {
      over.abort();
      await working;
      await queue.close();
      stop = async () => {};
    };
    return {
      async publish(ids: readonly number[]) {
        taken.clear();
        for (const webhook_id of ids) {
          const id = `${sent++}`;
          const add = () => queue.publish({ event_id: 1, webhook_id, position: 1 }, id).catch(notTaken);
          await waitFor('a leader of the stream', add);
        }
      },
      whenTaken: (ids: readonly number[]) => waitFor('the messages', () => ids.every((id) => taken.has(id))),
    };
  }

  it('holds up none of the others', async () => {
    expect(new Set(OTHERS.map(shardOf)).size).to.equal(SHARDS - 1);
    const before = await nats.consumerNames();
    const { publish, whenTaken } = await start({ leaderlessMs: Number.POSITIVE_INFINITY });
    await publish(OTHERS);
    await whenTaken(OTHERS);
    expect(await nats.consumerNames()).to.deep.equal(before);
  });

  it('is replaced', async () => {
    const before = await nats.consumerNames();
    const { publish, whenTaken } = await start({ leaderlessMs: 5_000 });
    await publish(WEBHOOKS);
    await whenTaken(WEBHOOKS);
    const after = await nats.consumerNames();
    expect(after).to.have.length(before.length);
    expect(after.filter((name) => !before.includes(name))).to.have.length(1);
  });
});

/** Takes what there is, and begins again where that ends or fails, as it does while members come and go. */
async function work(queue: Queue, signal: AbortSignal, take: (webhookId: number) => void) {
  while (!signal.aborted) {
    try {
      for await (const message of queue.consume(256, signal)) {
        take(decodeMessage(message.data).webhook_id);
        message.ack();
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'NatsError') throw error;
    }
  }
}

const notTaken = (): undefined => undefined;
