import { expect } from 'chai';
import { type Channel, useStack, wrongFields } from './support.ts';

const ADMIN_KEY = 'the admin key of these tests';
const COUNT = 7;

describe('lists', () => {
  const { call, url } = useStack({ ADMIN_KEY });
  let channel: Channel;
  let hooks: number[];
  let events: number[];
  let channels: number[];

  const make = async (path: string, json: object): Promise<number> => {
    const { status, body } = await call('POST', path, { key: ADMIN_KEY, json });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.id;
  };
  const times = async (act: () => Promise<number>) => {
    const ids: number[] = [];
    for (let n = 0; n < COUNT; n++) ids.push(await act());
    return ids;
  };

  before(async () => {
    channels = await times(() => make('/v1/channels', { name: 'a' }));
    channel = (await call('GET', `/v1/channels/${channels[0]}`, { key: ADMIN_KEY })).body;
    hooks = await times(() => make(`/v1/channels/${channel.id}/webhooks`, { webhook_url: 'http://127.0.0.1:9/' }));
    events = (await times(() => make(`/v1/channels/${channel.id}/events`, { event_name: 'a' }))).reverse();
  });

  const LISTS: Record<string, { path: () => string; ids: () => number[]; idOf?: string }> = {
    'of channels, in the order of their creation': { path: () => '/v1/channels', ids: () => channels },
    'of webhooks, in the order of their creation': {
      path: () => `/v1/channels/${channel.id}/webhooks`,
      ids: () => hooks,
    },
    'of events, newest first': { path: () => `/v1/channels/${channel.id}/events`, ids: () => events },
    'of deliveries, newest event first': {
      path: () => `/v1/channels/${channel.id}/webhooks/${hooks[0]}/deliveries`,
      ids: () => events,
      idOf: 'event_id',
    },
    'of a notification log, by webhook': {
      path: () => `/v1/channels/${channel.id}/events/${events[0]}/notification_log`,
      ids: () => hooks,
      idOf: 'webhook_id',
    },
  };

  for (const [name, { path, ids, idOf = 'id' }] of Object.entries(LISTS)) {
    describe(name, () => {
      const get = async (query: string) => {
        const { status, headers, body } = await call('GET', path() + query, { key: ADMIN_KEY });
        expect(status, JSON.stringify(body)).to.equal(200);
        return { ids: body.map((item: Record<string, number>) => item[idOf]), link: headers.get('link') };
      };

      it('are whole where they fit', async () => {
        for (const query of ['', `?limit=${COUNT}`, '?limit=250']) {
          expect(await get(query)).to.deep.equal({ ids: ids(), link: null });
        }
      });

      it('are read page by page by following Link', async () => {
        for (const limit of [1, 3, COUNT - 1]) {
          const seen: number[] = [];
          let query: string | undefined = `?limit=${limit}`;
          for (let pages = 0; query !== undefined; pages++) {
            expect(pages).to.be.lessThan(COUNT + 1);
            const page: Awaited<ReturnType<typeof get>> = await get(query);
            expect(page.ids).to.have.length.within(1, limit);
            seen.push(...page.ids);
            const [, next] = /^<([^>]+)>; rel="next"$/.exec(page.link ?? '') ?? [];
            const target: URL | undefined = next === undefined ? undefined : new URL(next, url());
            if (target) expect(target.pathname).to.equal(path());
            if (target) expect(target.searchParams.get('limit')).to.equal(String(limit));
            query = target?.search;
          }
          expect(seen).to.deep.equal(ids());
        }
      });

      it('are empty behind their end', async () => {
        expect(await get(`?after=${ids().at(-1)}`)).to.deep.equal({ ids: [], link: null });
      });

      it('refuse what is no query of theirs, all of it at once', async () => {
        const LIMIT = { limit: 'must be a whole number from 1 to 250' };
        const CASES: Record<string, object> = {
          '?limit=0': LIMIT,
          '?limit=251': LIMIT,
          '?limit=-1': { limit: 'must be a whole number' },
          '?limit=1.5': { limit: 'must be a whole number' },
          '?limit=': { limit: 'must be a whole number' },
          '?limit=ten': { limit: 'must be a whole number' },
          '?after=x': { after: 'must be a whole number' },
          '?after=9007199254740993': { after: `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}` },
          '?after=99999999999999999999': { after: 'must be a whole number' },
          '?limit=1&limit=2': { limit: 'must be given once' },
          '?limits=1': { limits: 'is not known here' },
          '?constructor=1&toString=2': { constructor: 'is not known here', toString: 'is not known here' },
          '?limit=x&after=y&z=1': {
            z: 'is not known here',
            limit: 'must be a whole number',
            after: 'must be a whole number',
          },
        };
        for (const [query, wrong] of Object.entries(CASES)) {
          const { status, body } = await call('GET', path() + query, { key: ADMIN_KEY });
          expect(status, query).to.equal(422);
          expect(body.type).to.equal('/docs/errors#query-invalid');
          expect(Object.entries(wrongFields(body)), query).to.have.deep.members(Object.entries(wrong));
        }
      });
    });
  }

  describe('of other channels', () => {
    it('hold nothing of another channel, and nothing that was deleted', async () => {
      const other = await make('/v1/channels', { name: 'b' });
      expect((await call('GET', `/v1/channels/${other}/webhooks`, { key: ADMIN_KEY })).body).to.deep.equal([]);
      expect((await call('GET', `/v1/channels/${other}/events`, { key: ADMIN_KEY })).body).to.deep.equal([]);
      await call('DELETE', `/v1/channels/${other}`, { key: ADMIN_KEY });
      const { body } = await call('GET', '/v1/channels', { key: ADMIN_KEY });
      expect(body.map(({ id }: Channel) => id)).to.deep.equal(channels);
    });

    it('are 50 long where nobody says otherwise', async () => {
      const id = await make('/v1/channels', { name: 'c' });
      const publish = () => make(`/v1/channels/${id}/events`, { event_name: 'a' });
      await Promise.all(Array.from({ length: 51 }, publish));
      const { headers, body } = await call('GET', `/v1/channels/${id}/events`, { key: ADMIN_KEY });
      expect(body).to.have.length(50);
      expect(headers.get('link')).to.equal(`</v1/channels/${id}/events?after=${body.at(-1).id}>; rel="next"`);
    });

    it('are no part of what takes no query', async () => {
      const { status, body } = await call('GET', `/v1/channels/${channel.id}?limit=1`, { key: ADMIN_KEY });
      expect(status).to.equal(422);
      expect(wrongFields(body)).to.deep.equal({ limit: 'is not known here' });
    });
  });
});
