import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { type Cluster, startCluster } from '../../support/cluster.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import type { Channel } from './support.ts';

const PRELOAD = join(import.meta.dirname, '../../support/die-once.ts');

const BODIES: Readonly<Record<string, { path: string; json: object; count: number }>> = {
  event: { path: 'events', json: { event_name: 'a' }, count: 1 },
  batch: { path: 'events/batch', json: { events: [{ event_name: 'a' }, { event_name: 'b' }] }, count: 2 },
};

const idsOf = ({ body }: { body: { id?: number; ids?: number[] } }) => body.ids ?? [body.id];

async function idsIn(api: Api, { id, publisher_key: key }: Channel): Promise<number[]> {
  const { body } = await api.call('GET', `/v1/channels/${id}/events?limit=250`, { key });
  return body.map((event: { id: number }) => event.id).toReversed();
}

/** The promise: a gateway that is killed after a request was accepted and before its events are in the log leaves a key that can be sent again. */
describe('an Idempotency-Key of a request amid which the gateway was killed', function () {
  this.timeout(120_000);
  let stack: Stack;
  let api: Api;
  let channel: Channel;
  before(async () => {
    stack = await startStack();
    channel = await apiAt(stack.url).newChannel();
  });
  after(() => stack?.stop());

  for (const [name, { path, json, count }] of Object.entries(BODIES)) {
    it(`makes one ${name} when it is sent again`, async () => {
      const before = await idsIn(apiAt(stack.url), channel);
      await stack.stop();
      const died = join(stack.dataDir, `died-at-${name}`);
      stack = await startStack({
        dataDir: stack.dataDir,
        env: { NODE_OPTIONS: `--import ${PRELOAD}`, DIE_BEFORE: `events-${channel.id}`, DIE_ONCE: died },
      });
      api = apiAt(stack.url);
      const headers = { 'idempotency-key': `killed amid a ${name}` };
      const send = () =>
        api.call('POST', `/v1/channels/${channel.id}/${path}`, { key: channel.publisher_key, json, headers });
      await send().then(
        () => expect.fail('it was answered'),
        () => {},
      );
      expect(existsSync(died), 'the gateway was killed').to.equal(true);
      const again = await waitFor(
        'an answer',
        () => send().catch(() => undefined),
        (seen) => seen?.status === 201,
      );
      const ids = idsOf(again as { body: { id?: number } });
      expect(ids).to.have.length(count);
      expect((await send()).body).to.deep.equal(again?.body);
      expect(await idsIn(api, channel)).to.deep.equal([...before, ...ids]);
    });
  }
});

/** The promise: it does not matter which of several gateways a repetition comes to, or whether they come at once. */
describe('an Idempotency-Key at two gateways', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster?.stop());

  for (const [name, { path, json, count }] of Object.entries(BODIES)) {
    it(`makes one ${name} of 50 simultaneous requests`, async () => {
      const apis = cluster.nodes.map((node) => node.api());
      const [one] = apis as [Api];
      const channel = await one.newChannel();
      for (const api of apis) {
        const seen = () => api.call('GET', `/v1/channels/${channel.id}`, { key: channel.publisher_key });
        await waitFor('the channel at each gateway', seen, ({ status }) => status === 200);
      }
      const headers = { 'idempotency-key': 'the same at both' };
      const send = (n: number, body: object = json) =>
        (apis[n % apis.length] as Api).call('POST', `/v1/channels/${channel.id}/${path}`, {
          ...{ key: channel.publisher_key, json: body, headers },
        });
      const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => send(n)));
      const [first] = answers;
      expect(first?.status, JSON.stringify(first?.body)).to.equal(201);
      for (const { status, body } of answers) expect([status, body]).to.deep.equal([201, first?.body]);
      const other = name === 'event' ? { event_name: 'b' } : { events: [{ event_name: 'b' }] };
      for (const n of [0, 1]) expect((await send(n, other)).status).to.equal(409);
      expect(await idsIn(one, channel)).to.deep.equal(idsOf(first as { body: { id?: number } }));
      expect(await idsIn(one, channel)).to.have.length(count);
    });
  }
});
