import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: a retry comes at its time, whatever was restarted or lost while it waited: neither at once nor never. */
describe('a retry that waits', function () {
  this.timeout(120_000);
  const INTERVAL_MS = 5_000;
  /** How early it may be: see `services/delivery/handler.ts`. */
  const EARLY_MS = INTERVAL_MS / 10;
  let receiver: Receiver;
  let stack: Stack | undefined;

  before(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => stack?.stop());
  after(() => receiver?.close());

  for (const [what, lost] of Object.entries({
    'kill -9 of everything': [],
    'kill -9 of everything and the loss of the queue': ['nats'],
    "kill -9 of everything and the loss of the relay's table": ['relay.db', 'relay.db-wal', 'relay.db-shm'],
  })) {
    it(`is made once and not before its time after ${what}`, async () => {
      const env = { RETRY_INTERVAL: `${INTERVAL_MS / 1_000}s`, RETRY_WINDOW: '1h' };
      stack = await startStack({ env });
      let api = apiAt(stack.url);
      const channel = await api.newChannel();
      await api.newWebhook(channel, receiver.url('/hook'));
      receiver.reply({ status: 500 }, '/hook');
      const { id } = await api.publish(channel);
      const attempts = async () => (await api.log(channel, id))[0]?.attempts ?? [];
      await waitFor('the first attempt', async () => (await attempts()).length === 1);
      receiver.reply({ status: 200 }, '/hook');

      await stack.kill9All();
      for (const file of lost) await rm(join(stack.dataDir, file), { recursive: true, force: true });
      stack = await startStack({ env, dataDir: stack.dataDir });
      api = apiAt(stack.url);
      await waitFor('the retry', async () => (await attempts()).length > 1);
      const [first, second, ...more] = (await attempts()).map(({ at }) => Date.parse(at));
      expect(second as number).to.be.at.least((first as number) + INTERVAL_MS - EARLY_MS);
      expect(more).to.deep.equal([]);
    });
  }
});
