import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { READ_MODEL_VERSION } from '../../../projections/read-models.ts';
import { type Api, apiAt, type LogEntry, type NewWebhook } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: while a webhook is paused its deliveries wait, whatever dies meanwhile; when it is resumed each goes out, with a whole new window.
 */
describe('a paused webhook', function () {
  this.timeout(240_000);
  const env = { RETRY_INTERVAL: '1s', RETRY_WINDOW: '2s', DELIVERY_TIMEOUT: '1s' };
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: { id: number; publisher_key: string };

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env });
    api = apiAt(stack.url);
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });
  beforeEach(async () => {
    receiver.reset();
    channel = await api.newChannel();
  });

  const pathOf = ({ id }: { id: number }) => `/v1/channels/${channel.id}/webhooks/${id}`;
  async function change(webhook: { id: number }, form: Record<string, string>) {
    const { status, body } = await api.call('PUT', pathOf(webhook), { key: channel.publisher_key, form });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }
  const pause = (webhook: NewWebhook) => change(webhook, { paused: 'true' });
  const resume = (webhook: NewWebhook) => change(webhook, { paused: '0' });
  const entryOf = async (eventId: number): Promise<LogEntry> => {
    const [entry] = await api.log(channel, eventId);
    if (!entry) throw new Error(`event ${eventId} has no entry`);
    return entry;
  };
  const whenEntry = (what: string, eventId: number, isThere: (entry: LogEntry) => boolean) =>
    waitFor(what, () => entryOf(eventId), isThere);
  const publishMany = async (count: number) => {
    const ids: number[] = [];
    for (let i = 0; i < count; i++) ids.push((await api.publish(channel)).id);
    return ids;
  };
  const eventsAt = (path: string): number[] =>
    receiver.hitsAt(path).map(({ body }) => JSON.parse(body.toString()).id as number);

  /** What is published behind them comes to another webhook: whatever was going to come has come by then. */
  async function whenAnotherGotIt() {
    const other = await api.newWebhook(channel, receiver.url('/other'));
    const { id } = await api.publish(channel);
    await receiver.whenHits(1, ({ path, body }) => path === '/other' && JSON.parse(body.toString()).id === id);
    await api.call('DELETE', pathOf(other), { key: channel.publisher_key });
  }

  it('is sent nothing until it is resumed, then all of it', async () => {
    const webhook = await api.newWebhook(channel, receiver.url('/hook'), { paused: true });
    expect(webhook).to.include({ paused: true, pause_reason: 'requested' });
    const ids = await publishMany(3);
    await whenAnotherGotIt();
    for (const id of ids) {
      expect(await entryOf(id)).to.deep.include({ status: 'pending', next_attempt_at: null, attempts: [] });
    }
    expect(receiver.hitsAt('/hook')).to.deep.equal([]);

    const resumed = await resume(webhook);
    expect(resumed).to.include({ paused: false }).and.not.have.any.keys('pause_reason');
    for (const id of ids) await whenEntry('a delivery', id, ({ status }) => status === 'delivered');
    const fresh = await api.publish(channel);
    await whenEntry('a delivery', fresh.id, ({ status }) => status === 'delivered');
    expect(new Set(eventsAt('/hook').slice(0, 3))).to.deep.equal(new Set(ids));

    const { body: history } = await api.call('GET', `${pathOf(webhook)}/history`, { key: webhook.subscriber_key });
    expect(history.map(({ type, changes, by }: Record<string, unknown>) => [type, changes, by])).to.deep.equal([
      ['WebhookCreated', { webhook_url: receiver.url('/hook'), paused: true }, 'publisher'],
      ['WebhookResumed', { paused: false }, 'publisher'],
    ]);
    const { body: was } = await api.call('GET', `${pathOf(webhook)}?revision=0`, { key: channel.publisher_key });
    expect(was).to.include({ paused: true, pause_reason: 'requested', revision: 0 });
  });

  it('has whatever was failing wait as well, and gives it a whole new window', async () => {
    receiver.reply({ status: 500 }, '/fails');
    const webhook = await api.newWebhook(channel, receiver.url('/fails'));
    const { id } = await api.publish(channel);
    await whenEntry('an attempt', id, ({ attempts }) => attempts.length > 0);
    await pause(webhook);
    const paused = await waitFor(
      'that no attempt is under way',
      async () => [await entryOf(id), receiver.hitsAt('/fails').length] as const,
      ([{ status, attempts }, hits]) => status !== 'pending' || attempts.length === hits,
    );
    const [{ status, next_attempt_at, attempts }] = paused;
    expect({ status, next_attempt_at }).to.deep.equal({ status: 'pending', next_attempt_at: null });
    const endMs = Date.parse(attempts[0]?.at ?? '') + 3_000;
    await waitFor('the end of the old window', () => Date.now() > endMs);
    expect(await entryOf(id)).to.deep.include({ status: 'pending', next_attempt_at: null, attempts });

    await resume(webhook);
    const after = await whenEntry('the end', id, (entry) => entry.status === 'failed');
    // The old window would not have had another one.
    expect(after.attempts.length - attempts.length).to.be.at.least(2);
    const { body: then } = await api.call(
      ...([
        'GET',
        `/v1/channels/${channel.id}/events/${id}/notification_log?at=${new Date(endMs).toISOString()}`,
      ] as const),
      { key: channel.publisher_key },
    );
    expect(then[0]).to.deep.include({ status: 'pending', next_attempt_at: null });
  });

  it('has its deliveries cancelled where it is deleted', async () => {
    const webhook = await api.newWebhook(channel, receiver.url('/deleted'), { paused: true });
    const [id] = (await publishMany(1)) as [number];
    await api.call('DELETE', pathOf(webhook), { key: channel.publisher_key });
    expect(await entryOf(id)).to.include({ status: 'cancelled', next_attempt_at: null });
    await whenAnotherGotIt();
    expect(receiver.hitsAt('/deleted')).to.deep.equal([]);
  });

  it('has what is asked to be delivered again wait as well', async () => {
    const webhook = await api.newWebhook(channel, receiver.url('/redelivered'));
    const { id } = await api.publish(channel);
    await whenEntry('a delivery', id, ({ status }) => status === 'delivered');
    await pause(webhook);
    const path = `/v1/channels/${channel.id}/events/${id}/redeliver`;
    const asked = await api.call('POST', path, { key: channel.publisher_key, json: {} });
    expect(asked.status).to.equal(201);
    await whenAnotherGotIt();
    await whenEntry('what waits', id, ({ status }) => status === 'pending');
    expect(receiver.hitsAt('/redelivered')).to.have.length(1);
    await resume(webhook);
    const { attempts } = await whenEntry('another delivery', id, ({ status }) => status === 'delivered');
    expect(attempts.map(({ trigger }) => trigger)).to.deep.equal(['publish', 'redeliver']);
  });

  it('can be paused again while its deliveries go out', async () => {
    const gate = Promise.withResolvers<void>();
    const webhook = await api.newWebhook(channel, receiver.url('/again'), { paused: true });
    const ids = await publishMany(300);
    receiver.reply(() => ({ after: gate.promise }), '/again');
    await resume(webhook);
    await receiver.whenHits(1, ({ path }) => path === '/again');
    await pause(webhook);
    gate.resolve();
    await whenAnotherGotIt();
    const waiting = (await Promise.all(ids.map(entryOf))).filter(({ next_attempt_at, status }) => {
      return status === 'pending' && next_attempt_at === null;
    });
    expect(waiting.length).to.be.within(1, ids.length - 1);
    await resume(webhook);
    for (const id of ids) await whenEntry('a delivery', id, ({ status }) => status === 'delivered');
    expect(receiver.missing(ids, '/again')).to.deep.equal([]);
  });

  for (const [what, lost] of Object.entries({
    'the queue is lost': ['nats'],
    'the read models and the table of the relay are lost': [
      ...database(`read-models-v${READ_MODEL_VERSION}`),
      ...database('relay'),
    ],
    'all of them are lost': ['nats', ...database(`read-models-v${READ_MODEL_VERSION}`), ...database('relay')],
  })) {
    it(`waits on where ${what} meanwhile, and gets all of it, also where they are lost once more while it goes out`, async () => {
      const webhook = await api.newWebhook(channel, receiver.url('/lost'), { paused: true });
      const ids = await publishMany(500);
      await restartWithout(lost);
      await whenAnotherGotIt();
      expect(receiver.hitsAt('/lost')).to.deep.equal([]);
      expect(await entryOf(ids[0] as number)).to.include({ status: 'pending', next_attempt_at: null });
      receiver.reply({ delayMs: 50 }, '/lost');
      await resume(webhook);
      await receiver.whenHits(20, ({ path }) => path === '/lost');
      await restartWithout(lost);
      for (const id of ids) await whenEntry('a delivery', id, ({ status }) => status === 'delivered');
      expect(receiver.missing(ids, '/lost')).to.deep.equal([]);
    });
  }

  async function restartWithout(files: readonly string[]) {
    await stack.kill9All();
    for (const file of files) await rm(join(stack.dataDir, file), { recursive: true, force: true });
    stack = await startStack({ env, dataDir: stack.dataDir });
    api = apiAt(stack.url);
  }

  function database(name: string): string[] {
    return ['', '-wal', '-shm'].map((suffix) => `${name}.db${suffix}`);
  }
});
