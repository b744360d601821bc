import { expect } from 'chai';
import { readRun } from '../../../infra/local/run-file.ts';
import { type Api, apiAt } from '../../support/api.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { type Channel, whenAllDelivered } from '../../support/load.ts';
import { type Hit, type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { startSecondDelivery } from '../../support/worker.ts';

/**
 * The promise: an attempt is made once and recorded once, however long the answer takes and whatever dies meanwhile, and it holds up no other. Each
 * test is named after the issue or pull request in which peers did otherwise.
 */
describe('the attempts of peers', function () {
  this.timeout(120_000);
  /** Longer than any test here waits for an answer. */
  const env = { RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m', DELIVERY_TIMEOUT: '5m' };
  let receiver: Receiver;
  let hanging: Receiver;
  let stack: Stack;
  let second: Awaited<ReturnType<typeof startSecondDelivery>> | undefined;
  let broker: Broker;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    hanging = await startReceiver();
    stack = await startStack({ env });
    broker = await openBroker((await stack.run()).natsUrl as string);
    api = apiAt(stack.url);
  });
  beforeEach(async () => {
    receiver.reset();
    channel = await api.newChannel();
  });
  after(async () => {
    await hanging?.close();
    await second?.stop();
    await broker?.close();
    await stack?.stop();
    await receiver?.close();
  });

  it('outpost #987: some webhooks hang: the others are delivered while those still hang', async () => {
    hanging.reply({ behaviour: 'hang' });
    const hangingIds: number[] = [];
    for (const n of [1, 2, 3]) hangingIds.push((await api.newWebhook(channel, hanging.url(`/${n}`))).id);
    for (const n of [1, 2, 3]) await api.newWebhook(channel, receiver.url(`/${n}`));
    const ids = await publishMany(20);
    for (const n of [1, 2, 3]) await hanging.whenHits(1, ({ path }) => path === `/${n}`);
    await receiver.whenHits(3 * ids.length);

    for (const id of ids) {
      const entries = await waitFor(
        'the deliveries to those that do not hang',
        () => api.log(channel, id),
        (seen) => seen.filter(({ status }) => status === 'delivered').length === 3,
      );
      // None of the POSTs that hang has ended by then.
      const others = entries.filter(({ webhook_id }) => hangingIds.includes(webhook_id));
      expect(others.map(({ status, attempts }) => [status, attempts])).to.deep.equal(Array(3).fill(['pending', []]));
    }
    await api.call('DELETE', `/v1/channels/${channel.id}`, { key: channel.publisher_key });
    await hanging.close();
  });

  it('svix #2181: an answer takes longer than the queue waits for an ack: one POST, and no second one beside it', async () => {
    // The queue hands out again what nobody has said anything about for 10 s. Workers ask for 256 messages at a time: with more of them both have some.
    const [WEBHOOKS, EVENTS] = [20, 14];
    receiver.reply({ delayMs: 12_000 });
    for (let n = 0; n < WEBHOOKS; n++) await api.newWebhook(channel, receiver.url(`/${n}`));
    second = await startSecondDelivery(stack);
    const ids = await publishMany(EVENTS);
    await whenAllDelivered(api, channel, ids, WEBHOOKS);
    await whenQueueEmpty();
    await second.stop();
    expect(receiver.hits).to.have.length(WEBHOOKS * EVENTS);
    expect(new Set(receiver.hits.map(({ headers }) => headers['webhook-id'])).size).to.equal(WEBHOOKS * EVENTS);
  });

  it('outpost #1000: the event store dies between POST and record: the record is made when it is back, and the retry follows', async () => {
    receiver.reply((_, nth) => {
      signal('eventstore', 'SIGKILL');
      return { status: nth === 1 ? 500 : 200 };
    });
    await api.newWebhook(channel, receiver.url());
    const [id] = (await publishMany(1)) as [number];
    await whenAllDelivered(api, channel, [id], 1);
    await whenQueueEmpty();
    expect(await attemptsOf(id)).to.deep.equal(['1 publish 500', '2 retry 200']);
    expect(receiver.hits).to.have.length(2);
  });

  it('outpost #151: worker and event store die between POST and record: each POST is made once more, recorded, and that is the end', async () => {
    await api.newWebhook(channel, receiver.url());
    signal('delivery', 'SIGSTOP');
    const ids = await publishMany(5);
    receiver.reply((_, nth) => {
      if (nth === 1) signal('eventstore', 'SIGSTOP');
      return {};
    });
    signal('delivery', 'SIGCONT');
    await receiver.whenHits(ids.length);
    // What was sent to the store and not read by it goes with it.
    for (const name of ['delivery', 'eventstore']) signal(name, 'SIGKILL');
    await whenAllDelivered(api, channel, ids, 1);
    await whenQueueEmpty();
    for (const id of ids) expect(await attemptsOf(id)).to.deep.equal(['1 publish 200']);
    expect(receiver.hits.map(eventOf).toSorted()).to.deep.equal([...ids, ...ids].toSorted());
  });

  async function publishMany(count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) ids.push((await api.publish(channel)).id);
    return ids;
  }

  async function attemptsOf(id: number): Promise<string[]> {
    const [entry] = await api.log(channel, id);
    return (entry?.attempts ?? []).map(({ attempt, trigger, status_code }) => `${attempt} ${trigger} ${status_code}`);
  }

  const whenQueueEmpty = () => waitFor('an empty queue', broker.messages, (messages) => messages === 0);

  /** At once, so that it can happen between a request and its answer. */
  function signal(name: string, what: NodeJS.Signals): void {
    const found = readRun(stack.dataDir)?.processes.find((process) => process.name === name);
    if (!found) throw new Error(`no process ${name}`);
    process.kill(found.pid, what);
  }
});

const eventOf = ({ body }: Hit): number => JSON.parse(body.toString()).id;
