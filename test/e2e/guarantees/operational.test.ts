import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { READ_MODEL_VERSION } from '../../../projections/read-models.ts';
import { type Api, apiAt } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: what happens to a webhook is told to the operational webhooks of its channel as one event, whatever dies while it is told: kill -9 of the relay's process, kill -9 of everything, and again with
 * queue, read models and the relay's table deleted.
 */
describe('what operational webhooks are told', function () {
  this.timeout(180_000);
  const EVENTS = 150;
  const env = { RETRY_INTERVAL: '200ms', RETRY_WINDOW: '0s', DELIVERY_TIMEOUT: '1s' };
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: { id: number; publisher_key: string };
  /** The ids of all that was published, by each test in turn. */
  const published: number[] = [];
  before(async () => {
    receiver = await startReceiver();
    receiver.reply({ status: 500 }, '/hook');
    stack = await startStack({ env });
    api = apiAt(stack.url);
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/ops'), { kind: 'operational' });
    await api.newWebhook(channel, receiver.url('/hook'));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  const get = async (path: string) => api.call('GET', path, { key: channel.publisher_key });

  /** Of each event that failed, how many events tell of it. */
  async function told(): Promise<Map<number, number>> {
    const counts = new Map<number, number>();
    let path: string | undefined =
      `/v1/channels/${channel.id}/events?kind=operational&event_name=delivery.failed&limit=250`;
    while (path !== undefined) {
      const { body, headers } = await get(path);
      for (const { data } of body) counts.set(data.event_id, (counts.get(data.event_id) ?? 0) + 1);
      path = /<(.*?)>/.exec(headers.get('link') ?? '')?.[1];
    }
    return counts;
  }

  const toldAt = () =>
    new Set(
      receiver.hits
        .filter(({ path }) => path === '/ops')
        .map(({ body }) => JSON.parse(body.toString()))
        .filter(({ event_name }) => event_name === 'delivery.failed')
        .map(({ data }) => data.event_id as number),
    );

  async function publishMany(): Promise<number[]> {
    const json = { events: Array.from({ length: EVENTS }, () => ({ event_name: 'a' })) };
    const { body } = await api.call('POST', `/v1/channels/${channel.id}/events/batch`, {
      json,
      key: channel.publisher_key,
    });
    published.push(...body.ids);
    return body.ids;
  }

  it('is told once, though the relay is killed again and again while it is', async () => {
    const ids = await publishMany();
    for (let kills = 0; kills < 3; kills++) {
      const sofar = toldAt().size;
      await waitFor('some more to be told', () => toldAt().size > sofar || toldAt().size === EVENTS);
      await stack.kill9('projector+relay');
    }
    await waitFor('all to be told', () => ids.every((id) => toldAt().has(id)));
    expect([...(await told())]).to.have.deep.members(ids.map((id) => [id, 1]));
  });

  it('is told once, and not again, though everything is killed and what can be made anew is deleted', async () => {
    const ids = await publishMany();
    await waitFor('some of it', () => ids.some((id) => toldAt().has(id)));
    await stack.kill9All();
    const files = [`read-models-v${READ_MODEL_VERSION}.db`, 'relay.db'].flatMap((file) => [
      file,
      `${file}-wal`,
      `${file}-shm`,
    ]);
    for (const file of ['nats', ...files]) rmSync(join(stack.dataDir, file), { recursive: true, force: true });
    stack = await startStack({ env, dataDir: stack.dataDir });
    api = apiAt(stack.url);
    await waitFor('all to be told', () => published.every((id) => toldAt().has(id)));
    const all = await waitFor('the list of it', told, ({ size }) => size === published.length);
    expect([...all]).to.have.deep.members(published.map((id) => [id, 1]));
  });
});
