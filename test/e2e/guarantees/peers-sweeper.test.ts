import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { newDataDir, type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const SHIFTED_CLOCK = pathToFileURL(join(import.meta.dirname, '../../chaos/shifted-clock.ts'));

/** The promise: what the read models show as pending and the queue has lost is queued again and delivered, also where the queue looks as it always did. */
describe('deliveries that peers leave stuck', function () {
  this.timeout(120_000);
  const EVENTS = 20;
  const clocks = join(newDataDir(), 'clocks');
  let receiver: Receiver;
  let stack: Stack;
  let broker: Broker;
  let api: Api;

  before(async () => {
    mkdirSync(clocks);
    receiver = await startReceiver();
    const env = { RETRY_INTERVAL: '5m', RETRY_WINDOW: '1h', DELIVERY_TIMEOUT: '1s' };
    stack = await startStack({ env: { ...env, NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`, CHAOS_CLOCKS: clocks } });
    broker = await openBroker((await stack.run()).natsUrl as string);
    api = apiAt(stack.url);
  });
  after(async () => {
    await broker?.close();
    await stack?.stop();
    await receiver?.close();
  });

  it('convoy #1977: pending in the database and gone from the queue, which is still there: queued again and delivered', async () => {
    receiver.reply({ status: 500 });
    const channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url());
    const ids: number[] = [];
    while (ids.length < EVENTS) ids.push((await api.publish(channel)).id);
    for (const id of ids) {
      await waitFor(
        'a first attempt',
        () => api.log(channel, id),
        ([entry]) => entry?.attempts.length === 1,
      );
    }
    await broker.purge();
    expect(await broker.messages()).to.equal(0);

    receiver.reply({});
    // Five minutes later, and some.
    for (const process of ['delivery', 'projector+relay']) writeFileSync(join(clocks, process), '600000');
    await whenAllDelivered(api, channel, ids, 1);
    expect(receiver.hits).to.have.length(2 * EVENTS);
    await waitFor('an empty queue', broker.messages, (messages) => messages === 0);
  });
});
