import { request } from 'node:http';
import { expect } from 'chai';
import fc, { type Arbitrary } from 'fast-check';
import type { Route } from '../../services/gateway/route.ts';
import { ROUTES } from '../../services/gateway/routes/routes.ts';
import { apiAt } from '../support/api.ts';
import { checkDescribed } from '../support/described.ts';
import { FORM_TYPE, JSON_TYPE } from '../support/media-types.ts';
import { nearly } from './from-schema.ts';
import { mutated } from './mutations.ts';
import { PATIENCE_MS } from './patience.ts';

/** What requests are made about: real things, so that they get past the first check. */
interface Fixture {
  readonly channel: { readonly id: number; readonly publisher_key: string };
  readonly webhook: { readonly id: number; readonly subscriber_key: string };
  readonly event: { readonly id: number };
  readonly recovery: { readonly id: number };
}

type Name = 'channel' | 'webhook' | 'event' | 'recovery';

interface Shot {
  /** Method and path of it: the rest would only be in the way of who reads a failure. */
  readonly route: string;
  readonly method: string;
  readonly params: Readonly<Partial<Record<Name, string | undefined>>>;
  readonly key: 'publisher' | 'subscriber' | 'wrong' | 'malformed' | 'none';
  readonly type: string;
  readonly body: Uint8Array;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

const real = fc.constant(undefined);
const oddParam = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '9007199254740993',
    '1e3',
    '..',
    '%2e',
    '%00',
    '%',
    '%ff',
    'a%2fb',
    '__proto__',
    'constructor',
    '%20',
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map(encodeURIComponent),
);
const param = fc.oneof({ weight: 8, arbitrary: real }, { weight: 1, arbitrary: oddParam });

/** What makes ids or keys of no use any more. */
const ENDING = /^DELETE |^POST .*\/rotate_/;

/** What Node's client lets through; what it does not is sent byte by byte (gateway-bytes.ts). */
const headerValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const headers = fc.dictionary(
  fc.constantFrom(
    'idempotency-key',
    'x-request-id',
    'origin',
    'sec-fetch-site',
    'accept',
    'if-none-match',
    'range',
    'cookie',
    'x-forwarded-for',
    'expect',
  ),
  headerValue,
  { maxKeys: 2 },
);

function shotAt(route: Route): Arbitrary<Shot> {
  const type = fc.oneof(
    { weight: 6, arbitrary: fc.constant(JSON_TYPE) },
    { weight: 3, arbitrary: fc.constant(FORM_TYPE) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'text/plain',
        `${JSON_TYPE};`,
        `${JSON_TYPE}; charset=utf-16`,
        '',
        'multipart/form-data',
      ),
    },
  );
  const written = fc.tuple(type, nearly(route.body)).chain(([as, value]) => {
    const text = as === FORM_TYPE ? formOf(value) : (JSON.stringify(value) ?? '');
    const whole = fc.constant(Buffer.from(text) as Uint8Array);
    return fc.tuple(
      fc.constant(as),
      fc.oneof({ weight: 3, arbitrary: whole }, { weight: 1, arbitrary: mutated(whole) }),
    );
  });
  const query = route.query
    ? nearly(route.query)
    : fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: nearly(undefined) });
  return fc
    .record({
      method: fc.oneof(
        { weight: 9, arbitrary: fc.constant(route.method) },
        { weight: 1, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'PATCH', 'DELETE', 'TRACE') },
      ),
      params: fc.record({ channel: param, webhook: param, event: param, recovery: param }),
      key: fc.oneof(
        { weight: 8, arbitrary: fc.constant('publisher' as const) },
        {
          weight: 2,
          arbitrary: fc.constantFrom('subscriber' as const, 'wrong' as const, 'malformed' as const, 'none' as const),
        },
      ),
      written,
      query: query.map((value) => ({ ...Object(value) }) as Record<string, unknown>),
      headers,
    })
    .map(({ written: [as, body], ...rest }) => ({ route: nameOf(route), type: as, body, ...rest }));
}

/** As a form nests: `a[b]=c`. */
function formOf(value: unknown, name = ''): string {
  if (typeof value !== 'object' || value === null) return `${encode(name)}=${encode(String(value))}`;
  return Object.entries(value)
    .map(([key, inner]) => formOf(inner, name === '' ? key : `${name}[${key}]`))
    .join('&');
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : `${JSON.stringify(value)}`);

/** Halves of characters cannot be percent-encoded. */
const encode = (text: string) => encodeURIComponent(text.toWellFormed());

interface Answer {
  readonly path: string;
  readonly status: number;
  readonly mediaType: string | null;
  readonly body: unknown;
}

/** Requests of every route, with bodies and queries that its schemas nearly take: each is answered as the API says. */
export async function gatewayRequests(url: string): Promise<fc.IAsyncProperty<[Shot]>> {
  const api = apiAt(url);
  let fixture = await newFixture();

  async function newFixture(): Promise<Fixture> {
    const channel = await api.newChannel();
    const webhook = await api.newWebhook(channel, 'http://nobody.invalid/');
    const path = `/v1/channels/${channel.id}/webhooks/${webhook.id}/recover`;
    const { body: recovery } = await api.call('POST', path, {
      ...{ key: channel.publisher_key, json: { since: '2025-01-01T00:00:00Z' } },
    });
    return { channel, webhook, event: await api.publish(channel), recovery };
  }

  return fc.asyncProperty(fc.constantFrom(...ROUTES).chain(shotAt), async (shot) => {
    const answer = await send(url, shot, fixture);
    const isFine = answer.status >= 200 && answer.status < 300;
    if (isFine && ENDING.test(`${shot.method} ${shot.route}`)) fixture = await newFixture();
    expect(answer.status === 503 || answer.status < 500, `${answer.status} ${JSON.stringify(answer.body)}`).to.equal(
      true,
    );
    checkDescribed({ method: shot.method, ...answer });
  });
}

function send(url: string, shot: Shot, fixture: Fixture): Promise<Answer> {
  const { route, method, params, type, body, query, headers: more } = shot;
  const ids: Record<Name, number> = {
    channel: fixture.channel.id,
    webhook: fixture.webhook.id,
    event: fixture.event.id,
    recovery: fixture.recovery.id,
  };
  const [, template = ''] = route.split(' ');
  const path = template.replace(
    /:(channel|webhook|event|recovery)/g,
    (_, name: Name) => params[name] ?? String(ids[name]),
  );
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(textOf(value))}`);
  const { hostname, port } = new URL(url);
  const key = keyOf(shot, fixture);
  const hasBody = method !== 'HEAD' && method !== 'GET' && method !== 'OPTIONS' && method !== 'TRACE';
  const headers = {
    ...more,
    ...(key !== undefined && { authorization: key }),
    ...(hasBody && { 'content-type': type, 'content-length': body.length }),
  };
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, headers, path: search.length > 0 ? `${path}?${search.join('&')}` : path };
    const sent = request({ ...options, signal: AbortSignal.timeout(PATIENCE_MS) }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const mediaType = answer.headers['content-type'] ?? null;
        const text = Buffer.concat(parts).toString();
        const read = mediaType?.includes('json') && text !== '' ? JSON.parse(text) : text;
        resolve({ path, status: answer.statusCode ?? 0, mediaType, body: read });
      });
    });
    sent.on('error', reject);
    sent.end(hasBody ? body : undefined);
  });
}

function keyOf({ key }: Shot, { channel, webhook }: Fixture): string | undefined {
  switch (key) {
    case 'publisher':
      return `Bearer ${channel.publisher_key}`;
    case 'subscriber':
      return `Bearer ${webhook.subscriber_key}`;
    case 'wrong':
      return `Bearer pk_${'0'.repeat(40)}`;
    case 'malformed':
      return 'Basic !!!';
    case 'none':
      return undefined;
  }
}
