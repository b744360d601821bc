import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { type Channel, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: where others got stuck or lost deliveries when their broker died or forgot, by their own issues and pull requests, we go on. */
describe('the queue of peers', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let stack: Stack;
  let broker: Broker;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env: { RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m' } });
    broker = await openBroker((await stack.run()).natsUrl as string);
    api = apiAt(stack.url);
  });
  beforeEach(async () => {
    channel = await api.newChannel();
  });
  after(async () => {
    await broker?.close();
    await stack?.stop();
    await receiver?.close();
  });

  it('svix #1844: the broker is killed again and again, once with all it had: deliveries go on, and no service is restarted', async () => {
    receiver.reply({ status: 500 }, '/waiting');
    for (const path of ['/waiting', '/running']) await api.newWebhook(channel, receiver.url(path));
    const services = await servicePids();
    const accepted: number[] = [];
    for (const isWiped of [false, false, true]) {
      const { promise: killed, resolve: answerNow } = Promise.withResolvers<void>();
      receiver.reply({ after: killed }, '/running');
      const ids = await publishMany(10);
      accepted.push(...ids);
      for (const path of ['/waiting', '/running']) {
        await receiver.whenHits(10, (hit) => hit.path === path && ids.includes(idIn(hit.body)));
      }
      await killBroker(isWiped);
      answerNow();
    }
    receiver.reply({}, '/waiting');
    accepted.push(...(await publishMany(10)));
    await whenAllDelivered(api, channel, accepted, 2);
    expect(await servicePids()).to.deep.equal(services);
  });

  it('svix #1511: a webhook is deleted with messages queued: they are cancelled without a POST, and leave the queue', async () => {
    receiver.reply({ status: 500 }, '/deleted');
    const { id: webhookId } = await api.newWebhook(channel, receiver.url('/deleted'));
    await api.newWebhook(channel, receiver.url('/kept'));
    const tried = await publishMany(5);
    await receiver.whenHits(5, ({ path }) => path === '/deleted');
    const delivery = await stack.pidOf('delivery');
    process.kill(delivery, 'SIGSTOP');
    const untried = await publishMany(5);
    const deletedMs = Date.now();
    const path = `/v1/channels/${channel.id}/webhooks/${webhookId}`;
    await api.call('DELETE', path, { key: channel.publisher_key });
    // What is read after a write knows of it: so will the worker, which looks webhooks up in the same place.
    expect((await api.log(channel, untried[0] as number))[0]).to.include({ status: 'cancelled' });
    process.kill(delivery, 'SIGCONT');
    await waitFor('an empty queue', broker.messages, (messages) => messages === 0);

    for (const id of [...tried, ...untried]) {
      const [deleted, kept] = await api.log(channel, id);
      expect(deleted).to.include({ status: 'cancelled', next_attempt_at: null });
      const attemptsMs = deleted?.attempts.map(({ at }) => Date.parse(at)) ?? [];
      expect(attemptsMs.filter((atMs) => atMs > deletedMs)).to.deep.equal([]);
      expect(receiver.hitsAt('/deleted').filter(({ body }) => idIn(body) === id)).to.have.length(attemptsMs.length);
      if (untried.includes(id)) expect(attemptsMs).to.deep.equal([]);
      expect(kept).to.include({ status: 'delivered' });
    }
  });

  async function publishMany(count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) ids.push((await api.publish(channel)).id);
    return ids;
  }

  /** Resolves once all services have found the next one: what is sent into the gap waits for its own time limit, which is no part of this. */
  async function killBroker(isWiped: boolean) {
    const reconnects = () => stack.output().split('nats: reconnect').length - 1;
    const connected = reconnects() + SERVICES.length;
    await stack.kill9('nats-server');
    if (isWiped) await rm(join(stack.dataDir, 'nats'), { recursive: true, force: true });
    await waitFor('connections to another nats-server', reconnects, (count) => count >= connected);
  }

  const servicePids = () => Promise.all(SERVICES.map((name) => stack.pidOf(name)));
});

const SERVICES = ['gateway', 'delivery', 'projector+relay'];
const idIn = (body: Buffer): number => JSON.parse(body.toString()).id;
