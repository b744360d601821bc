import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { type Channel, startLoad, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';

/**
 * The promise: kill -9 of any one process under load loses nothing and needs nobody: it is started again, and every accepted
 * event is delivered. The same where the broker has lost its directory by then.
 */
describe('kill -9 of one process under load', function () {
  this.timeout(240_000);
  const ENOUGH = 200;
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env: { DELIVERY_TIMEOUT: '1s', RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m' } });
    api = apiAt(stack.url);
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/'));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  for (const name of ['gateway', 'delivery', 'projector+relay', 'eventstore', 'nats-server']) {
    it(`${name}: nothing is lost`, () => surviveKillOf(name, async () => {}));
  }

  it('nats-server, and its directory deleted: nothing is lost', () =>
    surviveKillOf('nats-server', () =>
      rm(join(stack.dataDir, 'nats'), { recursive: true, force: true, maxRetries: 10 }),
    ));

  async function surviveKillOf(name: string, meanwhile: () => Promise<void>) {
    const load = startLoad(channel, () => api);
    await load.whenAccepted(ENOUGH);
    await stack.kill9(name);
    await meanwhile();
    await load.whenAccepted(load.accepted.length + ENOUGH);
    const accepted = await load.stop();
    await whenAllDelivered(api, channel, accepted, 1);
    expect(receiver.missing(accepted, '/')).to.deep.equal([]);
  }
});
