import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { StoreUnavailable } from '../../../infra/event-store/errors.ts';
import { type Answered, type Api, apiAt, type Call } from '../../support/api.ts';
import { startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { type InProcess, startInProcess } from './in-process.ts';
import { type Channel, useStack } from './support.ts';

let keys = 0;
const newKey = () => `key ${++keys} of this test ~`;
const withKey = (key: string, call: Call): Call => ({ ...call, headers: { 'idempotency-key': key } });

/** All that two answers to the same request have in common. */
function gist({ status, headers, body }: Answered) {
  return { status, location: headers.get('location'), body };
}

/** Each POST that creates: a request, where such things are listed, and one that is not the same. */
interface Creating {
  readonly path: (id: number) => string;
  readonly list?: (id: number) => string;
  readonly json: () => object;
  readonly other?: object;
}
const CREATING: Record<string, Creating> = {
  channel: { path: () => '/v1/channels', json: () => ({ name: 'a', guid: `guid-${++keys}`, email: 'a@b.example' }) },
  webhook: {
    path: (id) => `/v1/channels/${id}/webhooks`,
    list: (id) => `/v1/channels/${id}/webhooks`,
    json: () => ({ webhook_url: 'http://127.0.0.1:9/' }),
  },
  event: {
    path: (id) => `/v1/channels/${id}/events`,
    list: (id) => `/v1/channels/${id}/events`,
    json: () => ({ event_name: 'a', data: { b: [1] } }),
    other: { ext_ref_code: 'b' },
  },
  batch: {
    path: (id) => `/v1/channels/${id}/events/batch`,
    list: (id) => `/v1/channels/${id}/events?limit=250`,
    json: () => ({ events: [{ event_name: 'a' }, { event_name: 'b', data: { c: [1] } }, { event_name: 'a' }] }),
    other: { events: [{ event_name: 'a' }] },
  },
};

/** What an answer has brought into being. */
const idsOf = ({ body }: Answered): number[] => body.ids ?? [body.id];

/** The same request with the same Idempotency-Key happens once, and is answered as it was the first time. */
describe('an Idempotency-Key', () => {
  // An erasure waits for the next head of the tree.
  const { call, newChannel } = useStack({ TREE_HEAD_INTERVAL: '100ms' });
  let channel: Channel;
  before(async () => {
    channel = await newChannel();
  });
  const idsIn = async (path: string): Promise<number[]> => {
    const { body } = await call('GET', path, { key: channel.publisher_key });
    return body.map(({ id }: { id: number }) => id);
  };

  it('makes no channel again that was erased since', async () => {
    const request = withKey(newKey(), { json: { name: 'a' } });
    const { id, publisher_key: key } = (await call('POST', '/v1/channels', request)).body;
    expect((await call('DELETE', `/v1/channels/${id}?erase=true`, { key })).status).to.equal(200);
    const erasure = () => call('GET', `/v1/channels/${id}/erasure`, { key });
    await waitFor(
      'the erasure',
      async () => (await erasure()).body,
      ({ status }) => status === 'finished',
    );
    const { status, body } = await call('POST', '/v1/channels', request);
    expect(status).to.equal(404);
    expect(body.type).to.equal('/docs/errors#channel-not-found');
  });

  for (const [name, { path, list, json, other: different }] of Object.entries(CREATING)) {
    it(`makes one ${name} of a request that is repeated`, async () => {
      const request = withKey(newKey(), { key: channel.publisher_key, json: json() });
      const first = await call('POST', path(channel.id), request);
      expect(first.status, JSON.stringify(first.body)).to.equal(201);
      for (let n = 0; n < 3; n++)
        expect(gist(await call('POST', path(channel.id), request))).to.deep.equal(gist(first));
      if (list) {
        const made = idsOf(first);
        expect((await idsIn(list(channel.id))).filter((id) => made.includes(id))).to.have.members(made);
      }
    });

    it(`makes one ${name} of 50 simultaneous requests`, async () => {
      const before = list ? await idsIn(list(channel.id)) : [];
      const request = withKey(newKey(), { key: channel.publisher_key, json: json() });
      const answers = await Promise.all(Array.from({ length: 50 }, () => call('POST', path(channel.id), request)));
      const [first] = answers as [Answered];
      expect(first.status, JSON.stringify(first.body)).to.equal(201);
      for (const answer of answers) expect(gist(answer)).to.deep.equal(gist(first));
      if (!list) return;
      expect(await idsIn(list(channel.id))).to.have.members([...before, ...idsOf(first)]);
    });

    it(`is refused with another body for a ${name}`, async () => {
      const key = newKey();
      expect(
        (await call('POST', path(channel.id), withKey(key, { key: channel.publisher_key, json: json() }))).status,
      ).to.equal(201);
      const other = { ...json(), ...(different ?? { name: 'another' }) };
      const { status, body } = await call(
        'POST',
        path(channel.id),
        withKey(key, { key: channel.publisher_key, json: other }),
      );
      expect(status).to.equal(409);
      expect(body.type).to.equal('/docs/errors#idempotency-key-reused');
    });
  }

  it('takes a form and JSON, in any order of fields, for the same body', async () => {
    const key = newKey();
    const path = `/v1/channels/${channel.id}/webhooks`;
    const url = 'http://127.0.0.1:9/';
    const sent = [
      { json: { name: 'a', webhook_url: url } },
      { json: { webhook_url: url, name: 'a' } },
      { form: { webhook_url: url, name: 'a' } },
    ];
    const ids = new Set();
    for (const body of sent)
      ids.add((await call('POST', path, withKey(key, { key: channel.publisher_key, ...body }))).body.id);
    expect(ids.size).to.equal(1);
  });

  it('belongs to one channel and one route', async () => {
    const key = newKey();
    const other = await newChannel();
    const json = { event_name: 'a' };
    const one = await call(
      'POST',
      `/v1/channels/${channel.id}/events`,
      withKey(key, { key: channel.publisher_key, json }),
    );
    const two = await call('POST', `/v1/channels/${other.id}/events`, withKey(key, { key: other.publisher_key, json }));
    const hook = await call(
      'POST',
      `/v1/channels/${channel.id}/webhooks`,
      withKey(key, { key: channel.publisher_key, json: { webhook_url: 'http://127.0.0.1:9/' } }),
    );
    expect([one.status, two.status, hook.status]).to.deep.equal([201, 201, 201]);
    expect(one.body.id).not.to.equal(two.body.id);
  });

  it('answers as at creation, even once the thing has changed or gone', async () => {
    const request = withKey(newKey(), { json: { name: 'as it was', guid: 'short-lived' } });
    const first = await call('POST', '/v1/channels', request);
    const key = first.body.publisher_key;
    await call('PUT', '/v1/channels/short-lived', { key, json: { name: 'as it is' } });
    expect(gist(await call('POST', '/v1/channels', request))).to.deep.equal(gist(first));
    await call('DELETE', '/v1/channels/short-lived', { key });
    await newChannel({ guid: 'short-lived' });
    expect(gist(await call('POST', '/v1/channels', request))).to.deep.equal(gist(first));
  });

  it('is not used up by a request that is refused', async () => {
    const key = newKey();
    const path = `/v1/channels/${channel.id}/events`;
    const send = (json: object, as?: string) => call('POST', path, withKey(key, { key: as, json }));
    expect((await send({ event_name: '' }, channel.publisher_key)).status).to.equal(422);
    expect((await send({ event_name: 'b' })).status).to.equal(401);
    expect((await send({ event_name: 'c' }, channel.publisher_key)).status).to.equal(201);
  });

  it('decides anew about a guid that was taken', async () => {
    const holder = await newChannel({ guid: 'held' });
    const request = withKey(newKey(), { json: { name: 'a', guid: 'held' } });
    expect((await call('POST', '/v1/channels', request)).status).to.equal(409);
    expect((await call('POST', '/v1/channels', request)).status).to.equal(409);
    await call('DELETE', `/v1/channels/${holder.id}`, { key: holder.publisher_key });
    const made = await call('POST', '/v1/channels', request);
    expect(made.status).to.equal(201);
    expect(gist(await call('POST', '/v1/channels', request))).to.deep.equal(gist(made));
  });

  it('is 1 to 255 printable ASCII characters', async () => {
    const send = (key: string) => call('POST', '/v1/channels', withKey(key, { json: { name: 'a' } }));
    for (const key of ['a', '~'.repeat(255), '!']) expect((await send(key)).status, key).to.equal(201);
    for (const key of ['', 'a'.repeat(256), 'ä', 'a\tb']) {
      const { status, body } = await send(key);
      expect(status, key).to.equal(422);
      expect(body.type).to.equal('/docs/errors#idempotency-key-invalid');
    }
  });
});

describe('an Idempotency-Key after a restart', () => {
  it('still answers as the first time', async () => {
    let stack = await startStack();
    try {
      const channel = await apiAt(stack.url).newChannel();
      const asked = Object.entries(CREATING).map(([name, { path, json }]) => ({
        name,
        path: path(channel.id),
        request: withKey(newKey(), { key: channel.publisher_key, json: json() }),
      }));
      const firsts: Answered[] = [];
      for (const { path, request } of asked) firsts.push(await apiAt(stack.url).call('POST', path, request));
      await stack.kill9All();
      stack = await startStack({ dataDir: stack.dataDir });
      for (const [index, { name, path, request }] of asked.entries()) {
        const again = await apiAt(stack.url).call('POST', path, request);
        expect(gist(again), name).to.deep.equal(gist(firsts[index] as Answered));
      }
      const events = await apiAt(stack.url).call('GET', `/v1/channels/${channel.id}/events`, {
        key: channel.publisher_key,
      });
      expect(events.body, 'the event and those of the batch').to.have.length(4);
    } finally {
      await stack.stop();
    }
  });
});

describe('an Idempotency-Key over a store that fails, and over time', () => {
  let parts: InProcess;
  let gateway: Api & { stop(): Promise<void> };
  let channel: Channel;
  before(async () => {
    parts = await startInProcess();
    gateway = await parts.startGateway();
    channel = await gateway.newChannel();
  });
  after(async () => {
    await gateway?.stop();
    await parts?.stop();
  });
  afterEach(() => parts.straighten());

  for (const [name, { path, json }] of Object.entries(CREATING)) {
    const prefix = name === 'event' || name === 'batch' ? 'events-' : `${name}-`;

    it(`makes one ${name} where the first request was accepted, but its append failed`, async () => {
      const request = withKey(newKey(), { key: channel.publisher_key, json: json() });
      parts.bend((append, to, ...rest) => {
        if (to.startsWith(prefix)) throw new StoreUnavailable(new Error('gone'));
        return append(to, ...rest);
      });
      const failed = await gateway.call('POST', path(channel.id), request);
      expect(failed.status).to.equal(503);
      expect(failed.headers.get('retry-after')).to.equal('1');
      parts.straighten();
      const made = await gateway.call('POST', path(channel.id), request);
      expect(made.status, JSON.stringify(made.body)).to.equal(201);
      expect(gist(await gateway.call('POST', path(channel.id), request))).to.deep.equal(gist(made));
    });

    it(`makes one ${name} where its append was kept, but the answer lost`, async () => {
      const request = withKey(newKey(), { key: channel.publisher_key, json: json() });
      parts.bend(async (append, to, ...rest) => {
        const appended = await append(to, ...rest);
        if (to.startsWith(prefix)) throw new StoreUnavailable(new Error('too late'));
        return appended;
      });
      expect((await gateway.call('POST', path(channel.id), request)).status).to.equal(503);
      parts.straighten();
      const made = await gateway.call('POST', path(channel.id), request);
      expect(made.status, JSON.stringify(made.body)).to.equal(201);
      const ids = idsOf(made);
      const facts = await parts.store.read(
        prefix === 'events-' ? stream.events(channel.id) : `${prefix}${made.body.id}`,
      );
      const kept = facts.map(({ data }) => (data as { id?: number }).id).filter((id) => ids.includes(id ?? 0));
      expect(kept, 'one fact of each').to.deep.equal(ids);
    });
  }

  it('appends nothing for an event that was published before: no store recognises ids for ever', async () => {
    const request = withKey(newKey(), { key: channel.publisher_key, json: { event_name: 'a' } });
    const path = `/v1/channels/${channel.id}/events`;
    const first = await gateway.call('POST', path, request);
    const appendedTo: string[] = [];
    parts.bend((append, to, ...rest) => {
      appendedTo.push(to);
      return append(to, ...rest);
    });
    expect(gist(await gateway.call('POST', path, request))).to.deep.equal(gist(first));
    expect(appendedTo.filter((name) => name.startsWith('events-'))).to.deep.equal([]);
  });

  it('is free again after 24 hours, and not before', async () => {
    const request = withKey(newKey(), { json: { name: 'a' } });
    const first = await gateway.call('POST', '/v1/channels', request);
    parts.clock.aheadMs = 24 * 3_600_000 - 60_000;
    expect((await gateway.call('POST', '/v1/channels', request)).body.id).to.equal(first.body.id);
    parts.clock.aheadMs = 24 * 3_600_000 + 1_000;
    const next = await gateway.call('POST', '/v1/channels', request);
    expect(next.status).to.equal(201);
    expect(next.body.id).not.to.equal(first.body.id);
    expect((await gateway.call('POST', '/v1/channels', request)).body.id).to.equal(next.body.id);
    const other = withKey((request.headers as { 'idempotency-key': string })['idempotency-key'], {
      json: { name: 'b' },
    });
    expect((await gateway.call('POST', '/v1/channels', other)).status).to.equal(409);
  });
});
