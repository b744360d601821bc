import { expect } from 'chai';
import { NewWebhook } from '../../../domain/webhook.ts';
import { headerNameErrors } from '../../../domain/webhook-headers.ts';
import { createCompiler } from '../../../services/gateway/validation.ts';

const validate = createCompiler({ destination: () => undefined })(NewWebhook);
const wrong = (headers: unknown) =>
  (validate({ webhook_url: 'http://a.example/', headers }) ?? []).map(({ field }) => field);

describe('headers of a webhook', () => {
  it('may have the names and values that HTTP knows', () => {
    const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, 'v']));
    for (const headers of [
      {},
      { 'X-Api-Key': 'k', authorization: 'Bearer a.b-c_d~e+f/g=', "X-A!#$%&'*+.^_`|~": 'a\tb c' },
      { Cookie: 'a=b; c="d"', 'user-agent': 'mine', contents: 'v', hosts: 'v', webhooks: 'v', tea: 'v' },
      { 'x-long': 'v'.repeat(4_096) },
      twenty,
    ]) {
      expect(wrong(headers), JSON.stringify(headers)).to.deep.equal([]);
    }
    expect(wrong({ ...twenty, 'x-20': 'v' })).to.deep.equal(['headers']);
  });

  for (const name of [
    ...['Connection', 'keep-alive', 'Proxy-Authorization', 'proxy-connection', 'TE', 'trailer', 'Transfer-Encoding'],
    ...['upgrade', 'HTTP2-Settings', 'Host', 'expect', 'Content-Type', 'content-length', 'Content-', 'Webhook-Id'],
    ...['webhook-signature', 'webhook-timestamp', 'webhook-x', 'Traceparent', 'tracestate'],
    ...['', 'a b', 'a:b', 'a\r\nb', 'a\n', 'ä', 'a\0', ' a', '(a)', 'x'.repeat(129)],
  ]) {
    it(`may not be named ${JSON.stringify(name.slice(0, 30))}`, () => {
      expect(wrong({ good: 'v', [name]: 'v' })).to.deep.equal([`headers.${name}`]);
    });
  }

  it('are named once, however that is written', () => {
    expect(wrong({ 'X-Key': 'a', 'x-key': 'b', 'X-KEY': 'c' })).to.deep.equal(['headers.x-key', 'headers.X-KEY']);
  });

  for (const value of [
    '',
    ' a',
    'a ',
    '\ta',
    'a\t',
    'a\r\nb: c',
    'a\nb',
    'a\rb',
    'a\0',
    'ä',
    '\x7f',
    '🚀',
    1,
    null,
    ['a'],
    'v'.repeat(4_097),
  ]) {
    it(`may not have the value ${JSON.stringify(value)?.slice(0, 30)}`, () => {
      expect(wrong({ a: value })).to.deep.equal(['headers.a']);
    });
  }

  it('have a size together', () => {
    const headers = (length: number) => ({ a: 'v'.repeat(3_000), b: 'v'.repeat(length) });
    expect(wrong(headers(6_144 - 3_000 - 2))).to.deep.equal([]);
    expect(wrong(headers(6_144 - 3_000 - 1))).to.deep.equal(['headers']);
  });

  it('are looked at once, however many they are, and whatever they hold', () => {
    const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`n${n}`, { toString: null }]));
    expect(headerNameErrors(many).map(({ message }) => message)).to.deep.equal([
      'must have at most 6144 characters in all',
    ]);
  });
});
