import { request } from 'node:http';
import { expect } from 'chai';
import { FORM_TYPE, JSON_TYPE } from '../../support/media-types.ts';
import { type Channel, type Raw, useStack, wrongFields } from './support.ts';

const KIB = 1_024;

describe('bodies', () => {
  const { send, curl, newChannel, url } = useStack();
  let channel: Channel;
  let events: string;
  before(async () => {
    channel = await newChannel();
    events = `/v1/channels/${channel.id}/events`;
  });
  const post = (raw: Raw) => send('POST', events, { key: channel.publisher_key, ...raw });
  const form = (...fields: string[]) => curl('POST', events, ['event_name=a', ...fields], channel.publisher_key);

  describe('that are refused', () => {
    const ODD: Record<string, [status: number, code: string, raw: Raw]> = {
      'half a JSON object': [400, 'malformed-body', { type: JSON_TYPE, body: '{"event_name":' }],
      'a JSON object and more': [400, 'malformed-body', { type: JSON_TYPE, body: '{"event_name":"a"} x' }],
      'a form as JSON': [400, 'malformed-body', { type: JSON_TYPE, body: 'event_name=a' }],
      'nothing but blanks as JSON': [400, 'malformed-body', { type: JSON_TYPE, body: '  ' }],
      'JSON that is no UTF-8': [
        400,
        'malformed-body',
        { type: JSON_TYPE, body: Buffer.from('{"event_name":"a","ext_ref_code":"\xe4"}', 'latin1') },
      ],
      'JSON in UTF-16': [
        400,
        'malformed-body',
        { type: JSON_TYPE, body: Buffer.from('{"event_name":"a"}', 'utf16le') },
      ],
      'a list': [422, 'fields-invalid', { type: JSON_TYPE, body: '[{"event_name":"a"}]' }],
      'a text': [422, 'fields-invalid', { type: JSON_TYPE, body: '"a"' }],
      'a number': [422, 'fields-invalid', { type: JSON_TYPE, body: '1' }],
      null: [422, 'fields-invalid', { type: JSON_TYPE, body: 'null' }],
      'more than 256 KiB of JSON': [
        413,
        'body-too-large',
        { type: JSON_TYPE, body: `{"event_name":"${'a'.repeat(256 * KIB)}"}` },
      ],
      'more than 256 KiB of form': [
        413,
        'body-too-large',
        { type: FORM_TYPE, body: `event_name=${'a'.repeat(256 * KIB)}` },
      ],
      'numbers that take far more room once they are written out': [
        413,
        'body-too-large',
        { type: JSON_TYPE, body: `{"event_name":"a","data":{"n":[${'1e20,'.repeat(50_000)}1]}}` },
      ],
      'JSON that is nested without end': [
        422,
        'fields-invalid',
        { type: JSON_TYPE, body: `{"event_name":"a","data":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}` },
      ],
      'plain text': [415, 'media-type-unknown', { type: 'text/plain', body: '{"event_name":"a"}' }],
      XML: [415, 'media-type-unknown', { type: 'application/xml', body: '<a/>' }],
      'multipart forms': [415, 'media-type-unknown', { type: 'multipart/form-data; boundary=a', body: '--a--' }],
      'a type that is like JSON': [415, 'media-type-unknown', { type: 'application/vnd.api+json', body: '{}' }],
      'no type': [415, 'media-type-unknown', { type: '', body: '{"event_name":"a"}' }],
      'a compressed body': [
        415,
        'encoding-unknown',
        { type: JSON_TYPE, body: '{"event_name":"a"}', headers: { 'content-encoding': 'gzip' } },
      ],
    };
    for (const [name, [status, code, raw]] of Object.entries(ODD)) {
      it(name, async () => {
        const answer = await post(raw);
        expect(answer.body.type, answer.text).to.equal(`/docs/errors#${code}`);
        expect(answer.status).to.equal(status);
        expect(answer.text).not.to.match(/node_modules|\.js:|\.ts:/);
      });
    }

    it('a body that is more than 256 KiB long without having said so', async () => {
      const answered = new Promise<number | undefined>((resolve, reject) => {
        const headers = { 'content-type': JSON_TYPE, authorization: `Bearer ${channel.publisher_key}` };
        const sent = request(url() + events, { method: 'POST', headers }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode));
        });
        sent.once('error', reject);
        for (let n = 0; n < 300; n++) sent.write('a'.repeat(KIB));
        sent.end();
      });
      expect(await answered).to.equal(413);
    });

    it('not before it is known who sends them', async () => {
      const big = { type: 'text/plain', body: 'a'.repeat(300 * KIB) };
      expect((await send('POST', events, big)).status).to.equal(401);
      expect((await send('POST', events, { ...big, key: `pk_${'0'.repeat(40)}` })).status).to.equal(403);
    });
  });

  describe('that are taken', () => {
    it('are empty where nothing is required', async () => {
      const path = `/v1/channels/${channel.id}`;
      for (const type of [JSON_TYPE, FORM_TYPE]) {
        expect((await send('PUT', path, { key: channel.publisher_key, type, body: '' })).status).to.equal(200);
      }
      expect((await send('PUT', path, { key: channel.publisher_key })).status).to.equal(200);
      expect(wrongFields((await post({})).body)).to.have.all.keys('event_name');
    });

    it('are of a type in any case, with parameters', async () => {
      const body = '{"event_name":"a"}';
      for (const type of ['Application/JSON', 'application/json;charset=utf-8', 'application/json ; a=b']) {
        expect((await post({ type, body })).status, type).to.equal(201);
      }
    });

    it('are just 256 KiB long', async () => {
      const [head, tail] = ['{"event_name":"a","data":{"a":"', '"}}'];
      const body = head + 'a'.repeat(256 * KIB - head.length - tail.length) + tail;
      const { status, body: event } = await post({ type: JSON_TYPE, body });
      expect(status).to.equal(201);
      const read = await send('GET', `${events}/${event.id}`, { key: channel.publisher_key });
      expect(read.body).to.deep.equal(event);
      expect((await post({ type: JSON_TYPE, body: `${body} ` })).status).to.equal(413);
    });

    it('hold the character that stands for what is no UTF-8', async () => {
      const { status, body } = await post({ type: JSON_TYPE, body: '{"event_name":"a","data":{"a":"\ufffd"}}' });
      expect(status).to.equal(201);
      expect(body.data).to.deep.equal({ a: '\ufffd' });
    });
  });

  describe('as forms', () => {
    const dataOf = async (...fields: string[]) => {
      const { status, body, text } = await form(...fields);
      expect(status, text).to.equal(201);
      return body.data;
    };

    it('nest, list and stay texts', async () => {
      expect(
        await dataOf('data[a][b][c]=1', 'data[d][]=2', 'data[d][]=3', 'data[e][0]=4', 'data[e][1]=5', 'data[f]='),
      ).to.deep.equal({
        a: { b: { c: '1' } },
        d: ['2', '3'],
        e: ['4', '5'],
        f: '',
      });
      expect(await dataOf('data[g]=1', 'data[g]=2')).to.deep.equal({ g: ['1', '2'] });
    });

    it('are percent-encoded UTF-8, with + for a blank', async () => {
      expect(await dataOf('data%5Ba+b%5D=%F0%9F%98%80+%2B', 'data[ä]=ö', 'data[n]=%00')).to.deep.equal({
        'a b': '😀 +',
        ä: 'ö',
        n: '\u0000',
      });
    });

    it('take keys that every object has, and dots, as they are', async () => {
      const data = await dataOf(
        'data[hasOwnProperty]=1',
        'data[constructor][prototype]=2',
        'data[a.b]=3',
        'data[toString]=4',
      );
      expect(JSON.stringify(data)).to.equal(
        '{"hasOwnProperty":"1","constructor":{"prototype":"2"},"a.b":"3","toString":"4"}',
      );
      expect(wrongFields((await form('hasOwnProperty=1', 'data.a=1')).body)).to.have.all.keys(
        'hasOwnProperty',
        'data.a',
      );
    });

    it('make a number of created_at alone, where it is one', async () => {
      const numberOf = async (text: string) => (await dataOf(`data[created_at]=${text}`)).created_at;
      expect(await numberOf('1354649392')).to.equal(1_354_649_392);
      expect(await numberOf('0')).to.equal(0);
      expect(await numberOf('9007199254740991')).to.equal(9_007_199_254_740_991);
      for (const text of ['9007199254740992', '-1', '1.5', '1e3', '0x1', '007', '', 'now']) {
        expect(await numberOf(text), text).to.equal(text);
      }
      expect(await dataOf('data[a][created_at]=1', 'data[other_at]=1')).to.deep.equal({
        a: { created_at: '1' },
        other_at: '1',
      });
    });

    it('say true and false', async () => {
      for (const [text, meant] of [
        ['true', true],
        ['1', true],
        ['false', false],
        ['0', false],
      ]) {
        const { body } = await curl('POST', '/v1/channels', ['name=a', `public=${text}`]);
        expect(body.public, String(text)).to.equal(meant);
      }
      expect((await curl('POST', '/v1/channels', ['name=a', 'public='])).status).to.equal(422);
    });

    it('have each field once', async () => {
      const { status, body } = await curl('POST', '/v1/channels', ['name=a', 'name=b']);
      expect(status).to.equal(422);
      expect(wrongFields(body)).to.deep.equal({ name: 'must be a string' });
      expect(wrongFields((await form('event_url[a]=http://a.b')).body)).to.have.all.keys('event_url');
    });

    const REFUSED: Record<string, [status: number, fields: string[]]> = {
      'a field named __proto__': [400, ['__proto__[a]=1']],
      'a key named __proto__': [400, ['data[__proto__][a]=1']],
      'a key named __proto__ in disguise': [400, ['data%5B%5F_proto__%5D=1']],
      'a field without a name': [400, ['=1']],
      'more than 1,000 fields': [400, Array.from({ length: 1_001 }, (_, n) => `data[k${n}]=1`)],
      'more than 1,000 list items': [400, ['data[a][1000]=1']],
      'more levels than forms have': [400, [`data${'[a]'.repeat(40)}=1`]],
      'what is no percent-encoding': [400, ['data[a]=%']],
      'what is no UTF-8': [400, ['data[a]=%FF']],
      'a key that is no UTF-8': [400, ['data[%C3]=1']],
      'data as text': [422, ['data=a']],
      'data as a list': [422, ['data[]=a']],
      'a list with gaps': [422, ['data[a][0]=1', 'data[a][2]=2']],
    };
    for (const [name, [status, fields]] of Object.entries(REFUSED)) {
      it(`do not have ${name}`, async () => {
        const answer = await form(...fields);
        expect(answer.status, answer.text).to.equal(status);
        expect(answer.body.detail).to.be.a('string').with.length.greaterThan(5);
      });
    }

    it('may be 999 fields and more long', async () => {
      const data = await dataOf(...Array.from({ length: 990 }, (_, n) => `data[k${n}]=1`));
      expect(Object.keys(data)).to.have.length(990);
    });
  });
});
