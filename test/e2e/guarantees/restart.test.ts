import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { READ_MODEL_VERSION } from '../../../projections/read-models.ts';
import { type Api, apiAt } from '../../support/api.ts';
import { type Channel, startLoad, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';

/**
 * The promise: an event that was answered with 201 arrives at every webhook and its notification log says so, whatever dies:
 * kill -9 of the whole process tree under load, three times; then with the queue deleted; then with the read models deleted.
 */
describe('a restart after kill -9 of everything', function () {
  this.timeout(240_000);
  const WEBHOOKS = 2;
  const ENOUGH = 200;
  const env = { DELIVERY_TIMEOUT: '1s', RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m' };
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env });
    api = apiAt(stack.url);
    channel = await api.newChannel();
    for (let i = 0; i < WEBHOOKS; i++) await api.newWebhook(channel, receiver.url(`/${i}`));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  const DELETED = [
    [],
    [],
    [],
    ['nats'],
    databases(`read-models-v${READ_MODEL_VERSION}`),
    databases('relay'),
    ['nats', ...databases(`read-models-v${READ_MODEL_VERSION}`)],
  ];
  for (const [round, deleted] of DELETED.entries()) {
    it(`round ${round + 1} loses nothing${deleted.length > 0 ? `; deleted: ${deleted.join(', ')}` : ''}`, async () => {
      const accepted = await killUnderLoad(round);
      for (const file of deleted) await rm(join(stack.dataDir, file), { recursive: true, force: true });
      stack = await startStack({ env, dataDir: stack.dataDir });
      api = apiAt(stack.url);

      await whenAllDelivered(api, channel, accepted, WEBHOOKS);
      for (let i = 0; i < WEBHOOKS; i++) {
        expect(receiver.missing(accepted, `/${i}`)).to.deep.equal([]);
      }
      expect(new Set(accepted).size, 'ids are unique').to.equal(accepted.length);
    });
  }

  /** In every other round one webhook fails until it all dies, so that there are retries waiting. */
  async function killUnderLoad(round: number): Promise<readonly number[]> {
    receiver.reply({ status: round % 2 === 0 ? 200 : 500 }, '/1');
    const load = startLoad(channel, () => api);
    await load.whenAccepted(ENOUGH);
    await stack.kill9All();
    receiver.reply({ status: 200 }, '/1');
    return load.stop();
  }

  function databases(name: string): string[] {
    return ['', '-wal', '-shm'].map((suffix) => `${name}.db${suffix}`);
  }
});
