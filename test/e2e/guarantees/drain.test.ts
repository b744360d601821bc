import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { type Channel, startLoad, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';

/**
 * The promise: stop means drain. SIGTERM answers what is accepted, finishes or gives back what is in flight, and exits 0; nothing is
 * delivered twice and nothing is lost over the restart.
 */
describe('a stop under load', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack();
    api = apiAt(stack.url);
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/'));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  it('exits 0, and after the next start each accepted event has been delivered exactly once', async () => {
    receiver.reply({ delayMs: 100 });
    const load = startLoad(channel, () => api);
    await load.whenAccepted(300);
    const exit = await stack.stop();
    const accepted = await load.stop();
    expect(exit).to.equal(0);

    stack = await startStack({ dataDir: stack.dataDir });
    api = apiAt(stack.url);
    await whenAllDelivered(api, channel, accepted, 1);
    const received = receiver.hits.map(({ body }) => JSON.parse(body.toString()).id as number);
    const acceptedHits = received.filter((id) => accepted.includes(id)).toSorted((a, b) => a - b);
    expect(acceptedHits).to.deep.equal(accepted.toSorted((a, b) => a - b));
  });
});
