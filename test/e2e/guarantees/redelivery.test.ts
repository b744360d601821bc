import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { READ_MODEL_VERSION } from '../../../projections/read-models.ts';
import { type Api, apiAt, type LogEntry } from '../../support/api.ts';
import type { Channel } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: a redelivery that was answered with 201 is made, whatever dies; it has a retry window of its own, counted from when it was asked for, and the
 * retries that were to come do not come beside those of the new one.
 */
describe('a redelivery that was answered', function () {
  this.timeout(240_000);
  const RETRIES = 4;
  const env = { RETRY_INTERVAL: '1s', RETRY_WINDOW: `${RETRIES}s` };
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env });
    api = apiAt(stack.url);
  });
  beforeEach(async () => {
    receiver.reset();
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/'));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  async function redeliver(id: number): Promise<void> {
    const path = `/v1/channels/${channel.id}/events/${id}/redeliver`;
    const { status, body } = await api.call('POST', path, { key: channel.publisher_key });
    expect(status, JSON.stringify(body)).to.equal(201);
  }
  const entryOnce = async (id: number, isSo: (entry: LogEntry) => boolean) => {
    const seen = await waitFor(
      'its entry',
      () => api.log(channel, id),
      ([entry]) => entry !== undefined && isSo(entry),
    );
    return seen[0] as LogEntry;
  };

  it('has a new window, also where the one before was over', async () => {
    receiver.reply({ status: 500 });
    const { id } = await api.publish(channel);
    await entryOnce(id, ({ status }) => status === 'failed');
    await redeliver(id);
    const entry = await entryOnce(id, ({ status, attempts }) => status === 'failed' && attempts.length > 1 + RETRIES);
    const retries = Array(RETRIES).fill('retry');
    expect(entry.attempts.map(({ trigger }) => trigger)).to.deep.equal([
      'publish',
      ...retries,
      'redeliver',
      ...retries,
    ]);
    expect(receiver.hits).to.have.length(entry.attempts.length);
  });

  it('takes the place of the retries that were to come', async () => {
    receiver.reply({ status: 500 });
    const { id } = await api.publish(channel);
    await entryOnce(id, ({ attempts }) => attempts.length === 2);
    await redeliver(id);
    const entry = await entryOnce(id, ({ status }) => status === 'failed');
    const triggers = entry.attempts.map(({ trigger }) => trigger);
    expect(triggers.slice(triggers.indexOf('redeliver'))).to.deep.equal(['redeliver', ...Array(RETRIES).fill('retry')]);
    expect(receiver.hits).to.have.length(entry.attempts.length);
  });

  const GONE: Record<string, readonly string[]> = {
    nothing: [],
    'the queue': ['nats'],
    'the queue and the read models': ['nats', ...databases(`read-models-v${READ_MODEL_VERSION}`)],
    "the relay's table": databases('relay'),
  };
  for (const [name, files] of Object.entries(GONE)) {
    it(`is made after kill -9 of everything; deleted: ${name}`, async () => {
      const { id } = await api.publish(channel);
      const before = await entryOnce(id, ({ status }) => status === 'delivered');
      process.kill(await stack.pidOf('delivery'), 'SIGSTOP');
      await redeliver(id);
      expect((await api.log(channel, id))[0]).to.include({ status: 'pending' });
      await stack.kill9All();
      for (const file of files) await rm(join(stack.dataDir, file), { recursive: true, force: true });
      stack = await startStack({ env, dataDir: stack.dataDir });
      api = apiAt(stack.url);
      const entry = await entryOnce(id, ({ status }) => status === 'delivered');
      expect(entry.attempts).to.have.length(2);
      expect(entry.attempts[0]).to.deep.equal(before.attempts[0]);
      expect(entry.attempts[1]).to.include({ trigger: 'redeliver' });
      expect(receiver.hits).to.have.length(2);
    });
  }

  function databases(name: string): string[] {
    return ['', '-wal', '-shm'].map((suffix) => `${name}.db${suffix}`);
  }
});
