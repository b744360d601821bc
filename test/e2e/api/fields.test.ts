import { expect } from 'chai';
import { type Channel, useStack, wrongFields } from './support.ts';

const URL_MESSAGE = 'must be an http or https URL without user info, at most 2048 characters';
const GUID_MESSAGE = 'must be 1 to 128 letters, digits, "-", "_" or ".", and not all digits';
const NAME_MESSAGE = 'must be 1 to 255 letters, digits, ".", "_", "-" or ":"';
const EMAIL_MESSAGE = 'must be an email address of at most 254 characters';

interface Case {
  readonly json: object;
  /** By field. */
  readonly wrong: Readonly<Record<string, string>>;
}

const long = (length: number) => 'a'.repeat(length);

const CHANNEL_CASES: readonly Case[] = [
  { json: {}, wrong: { name: 'is required' } },
  { json: { name: '' }, wrong: { name: 'must not be empty' } },
  { json: { name: long(256) }, wrong: { name: 'must have at most 255 characters' } },
  { json: { name: 1 }, wrong: { name: 'must be a string' } },
  { json: { name: null }, wrong: { name: 'must be a string' } },
  { json: { name: ['a'] }, wrong: { name: 'must be a string' } },
  { json: { name: 'a', description: long(4_097) }, wrong: { description: 'must have at most 4096 characters' } },
  { json: { name: 'a', description: {} }, wrong: { description: 'must be a string' } },
  ...['', '123', 'a b', 'ä', long(129), 'a/b', '../a', 'a\n', '\u0000'].map((guid) => ({
    json: { name: 'a', guid },
    wrong: { guid: GUID_MESSAGE },
  })),
  { json: { name: 'a', guid: 12 }, wrong: { guid: 'must be a string' } },
  ...['', 'a', 'a@', '@b.c', 'a b@c.d', `${long(251)}@b.c`, `a@${long(100_000)}`].map((email) => ({
    json: { name: 'a', email },
    wrong: { email: EMAIL_MESSAGE },
  })),
  ...['', 'yes', 'TRUE', 2, 0, 1, null, [], {}].map((isPublic) => ({
    json: { name: 'a', public: isPublic },
    wrong: { public: 'must be true or false' },
  })),
  ...['id', 'publisher_key', 'created_at', '__proto__', 'constructor', 'toString', 'a/b~c', ''].map((field) => ({
    json: JSON.parse(`{"name":"a",${JSON.stringify(field)}:1}`),
    wrong: { [field]: 'is not known here' },
  })),
  {
    json: { nmae: 'a', guid: '1', email: 'a', public: 'x', description: 1 },
    wrong: {
      nmae: 'is not known here',
      name: 'is required',
      guid: GUID_MESSAGE,
      email: EMAIL_MESSAGE,
      public: 'must be true or false',
      description: 'must be a string',
    },
  },
];

const WEBHOOK_CASES: readonly Case[] = [
  { json: {}, wrong: { webhook_url: 'is required' } },
  ...[
    ...['', 'a', 'example.com', '/a', 'ftp://a.b/', 'javascript:alert(1)', 'http://', 'http:///a', 'https:a.b'],
    ...['http://u@a.b/', 'http://u:p@a.b/', 'http://a b/', 'http://a\\b', ' http://a.b', `http://a.b/${long(2_040)}`],
  ].map((webhook_url) => ({ json: { webhook_url }, wrong: { webhook_url: URL_MESSAGE } })),
  { json: { webhook_url: 1 }, wrong: { webhook_url: 'must be a string' } },
  { json: { webhook_url: 'http://a.b', name: '' }, wrong: { name: 'must not be empty' } },
  {
    json: { webhook_url: 'http://a.b', signing_secret: 'whsec_a', subscriber_key: 'sk_a' },
    wrong: { signing_secret: 'is not known here', subscriber_key: 'is not known here' },
  },
];

const EVENT_CASES: readonly Case[] = [
  { json: {}, wrong: { event_name: 'is required' } },
  ...['', 'a b', 'ä', 'a/b', 'a*', long(256), 'a\n'].map((event_name) => ({
    json: { event_name },
    wrong: { event_name: NAME_MESSAGE },
  })),
  { json: { event_name: 5 }, wrong: { event_name: 'must be a string' } },
  { json: { event_name: 'a', ext_ref_code: '' }, wrong: { ext_ref_code: 'must not be empty' } },
  { json: { event_name: 'a', ext_ref_code: long(256) }, wrong: { ext_ref_code: 'must have at most 255 characters' } },
  { json: { event_name: 'a', ext_ref_code: 5 }, wrong: { ext_ref_code: 'must be a string' } },
  { json: { event_name: 'a', event_url: 'nowhere' }, wrong: { event_url: URL_MESSAGE } },
  ...['a', 1, null, true, [], [{}]].map((data) => ({
    json: { event_name: 'a', data },
    wrong: { data: 'must be an object' },
  })),
  { json: { event_name: 'a', data: nested(100) }, wrong: { data: 'must not be nested deeper than 64 levels' } },
  {
    json: { event_name: 'a', published_at: 'now', id: 1 },
    wrong: { published_at: 'is not known here', id: 'is not known here' },
  },
];

function nested(levels: number): object {
  let value = {};
  for (let level = 1; level < levels; level++) value = { value };
  return value;
}

describe('fields', () => {
  const { call, newChannel } = useStack();
  let channel: Channel;
  before(async () => {
    channel = await newChannel({ guid: 'mine' });
  });

  function refuses(method: string, path: () => string, cases: readonly Case[]) {
    for (const { json, wrong } of cases) {
      it(`refuses ${shown(json)}`, async () => {
        const { status, headers, body } = await call(method, path(), { key: channel.publisher_key, json });
        expect(status).to.equal(422);
        expect(headers.get('content-type')).to.equal('application/problem+json');
        expect(body).to.include({ type: '/docs/errors#fields-invalid', status: 422 });
        expect(wrongFields(body)).to.deep.equal(wrong);
        for (const field of Object.keys(wrong).slice(0, 2)) expect(body.detail).to.include(field);
      });
    }
  }

  describe('of a new channel', () => refuses('POST', () => '/v1/channels', CHANNEL_CASES));
  describe('of a channel that is changed', () =>
    refuses('PUT', () => `/v1/channels/${channel.id}`, CHANNEL_CASES.filter(isNoRequirement)));
  describe('of a new webhook', () => refuses('POST', () => `/v1/channels/${channel.id}/webhooks`, WEBHOOK_CASES));
  describe('of a new event', () => refuses('POST', () => `/v1/channels/${channel.id}/events`, EVENT_CASES));

  describe('of a webhook that is changed', () => {
    let webhookId: number;
    before(async () => {
      const json = { webhook_url: 'http://127.0.0.1:9/' };
      const made = await call('POST', `/v1/channels/${channel.id}/webhooks`, { key: channel.publisher_key, json });
      webhookId = made.body.id;
    });
    refuses('PUT', () => `/v1/channels/${channel.id}/webhooks/${webhookId}`, WEBHOOK_CASES.filter(isNoRequirement));
  });

  describe('that are taken', () => {
    const key = () => channel.publisher_key;

    it('are as long as they may be, in characters', async () => {
      const fields = { name: '😀'.repeat(255), description: 'ä'.repeat(4_096), guid: long(128), email: 'a@b.example' };
      const { status, body } = await call('POST', '/v1/channels', { json: fields });
      expect(status).to.equal(201);
      expect(body).to.deep.include(fields);
    });

    it('are true and false in all their spellings', async () => {
      for (const [given, meant] of [
        [true, true],
        ['true', true],
        ['1', true],
        [false, false],
        ['false', false],
        ['0', false],
      ]) {
        const { status, body } = await call('POST', '/v1/channels', { json: { name: 'a', public: given } });
        expect(status, String(given)).to.equal(201);
        expect(body.public, String(given)).to.equal(meant);
      }
    });

    it('are not shown where they were never set', async () => {
      const { body } = await call('POST', '/v1/channels', { json: { name: 'a' } });
      expect(body).to.have.all.keys('id', 'name', 'public', 'publisher_key');
      const path = `/v1/channels/${channel.id}`;
      const hook = await call('POST', `${path}/webhooks`, { key: key(), json: { webhook_url: 'https://a.example' } });
      expect(hook.body).to.have.all.keys(
        'id',
        'webhook_url',
        'subscriber_key',
        'signing_secret',
        'paused',
        'failing_since',
      );
      const event = await call('POST', `${path}/events`, { key: key(), json: { event_name: 'a' } });
      expect(event.body).to.have.all.keys('id', 'channel_id', 'event_name', 'published_at');
    });

    it('change only where they are sent, and are cleared by null', async () => {
      const fields = { name: 'a', description: 'b', email: 'a@b.example', public: true };
      const { body: made } = await call('POST', '/v1/channels', { json: fields });
      const path = `/v1/channels/${made.id}`;
      const put = async (json: object) => (await call('PUT', path, { key: made.publisher_key, json })).body;
      expect(await put({})).to.deep.equal(made);
      const { description, ...rest } = made;
      expect(description).to.equal('b');
      expect(await put({ description: null })).to.deep.equal(rest);
      expect(await put({ email: 'c@d.example' })).to.deep.include({ name: 'a', email: 'c@d.example', public: true });
      expect((await call('GET', path, { key: made.publisher_key })).body).to.deep.include({ email: 'c@d.example' });
    });

    it('do not include another guid for a channel that exists', async () => {
      const path = `/v1/channels/${channel.id}`;
      expect((await call('PUT', path, { key: key(), json: { guid: 'mine' } })).status).to.equal(200);
      const { status, body } = await call('PUT', path, { key: key(), json: { guid: 'another' } });
      expect(status).to.equal(422);
      expect(body.type).to.equal('/docs/errors#guid-immutable');
      expect(wrongFields(body)).to.have.all.keys('guid');
    });

    it('keep data exactly, whatever its keys and texts', async () => {
      const text =
        '{"__proto__":{"a":1},"constructor":{"prototype":1},"hasOwnProperty":1,"":2,"a.b":3,"\\u0000":"\\u0000\\ud800\\ufffd😀","n":[1.5,-0.1,1e300,null,[]],"toJSON":"x"}';
      const json = { event_name: 'a', data: JSON.parse(text) };
      const { status, body } = await call('POST', `/v1/channels/${channel.id}/events`, { key: key(), json });
      expect(status).to.equal(201);
      expect(JSON.stringify(body.data)).to.equal(JSON.stringify(JSON.parse(text)));
      const read = await call('GET', `/v1/channels/${channel.id}/events/${body.id}`, { key: key() });
      expect(JSON.stringify(read.body)).to.equal(JSON.stringify(body));
    });

    it('nest as deep as data may', async () => {
      const json = { event_name: 'a', data: nested(64) };
      expect((await call('POST', `/v1/channels/${channel.id}/events`, { key: key(), json })).status).to.equal(201);
    });
  });

  describe('a guid', () => {
    it('is taken once', async () => {
      const made = await newChannel({ guid: 'once' });
      const again = await call('POST', '/v1/channels', { json: { name: 'b', guid: 'once' } });
      expect(again.status).to.equal(409);
      expect(again.body.type).to.equal('/docs/errors#guid-taken');
      expect(wrongFields(again.body)).to.have.all.keys('guid');
      expect((await call('GET', '/v1/channels/once', { key: made.publisher_key })).body.id).to.equal(made.id);
    });

    it('goes to one of many who ask at once', async () => {
      const json = { name: 'a', guid: 'contested' };
      const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/v1/channels', { json })));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).to.have.length(1);
      expect(statuses.filter((status) => status === 409)).to.have.length(19);
    });

    it('is free again once its channel is deleted', async () => {
      for (let round = 0; round < 3; round++) {
        const made = await newChannel({ guid: 'again' });
        const { status } = await call('DELETE', '/v1/channels/again', { key: made.publisher_key });
        expect(status).to.equal(200);
        expect((await call('GET', '/v1/channels/again', { key: made.publisher_key })).status).to.equal(404);
      }
    });
  });
});

function isNoRequirement({ wrong }: Case): boolean {
  return !Object.values(wrong).includes('is required');
}

function shown(json: object): string {
  const text = JSON.stringify(json);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
