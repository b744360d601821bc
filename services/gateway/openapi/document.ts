import type { TSchema } from 'typebox';
import { PRODUCT } from '../../../infra/product.ts';
import { ACCESS } from '../access.ts';
import { EVENT_STREAM_TYPE } from '../event-stream.ts';
import type { Group, Route } from '../route.ts';
import { ChannelId, EventAnswer, EventId, RequestId, WebhookId } from '../routes/answers.ts';
import { requestBody } from './bodies.ts';
import { curlOf } from './curl.ts';
import { exampleOf } from './example.ts';
import { createProblemAnswers, idsIn } from './problems.ts';
import { createSchemas, type JsonSchema, mapped, type SchemaOf } from './schemas.ts';
import { ABOUT, HEADERS, SECURITY_SCHEMES, securityOf } from './standing.ts';

/** What the ids in paths are called in the document. */
const PATH_IDS: Readonly<Record<string, { readonly description: string; readonly schema: object }>> = {
  channel: {
    description: 'Id or `guid` of the channel.',
    schema: { anyOf: [ChannelId as JsonSchema, { type: 'string' }] },
  },
  webhook: { description: 'Id of the webhook.', schema: WebhookId },
  event: { description: 'Id of the event.', schema: EventId },
  recovery: { description: 'Id of the recovery.', schema: RequestId },
};

/** The API as OpenAPI 3.1 describes it, from the rows that the gateway runs on. https://spec.openapis.org/oas/v3.1.1 */
export function describeApi(groups: readonly Group[]) {
  const schemas = createSchemas();
  const problems = createProblemAnswers(schemas.shown);
  const paths: Record<string, Record<string, object>> = {};

  for (const { name, routes } of groups) {
    for (const route of routes) {
      const path = templateOf(route.path);
      paths[path] ??= pathParameters(route.path);
      paths[path][route.method.toLowerCase()] = operation(route, name);
    }
  }

  function operation(route: Route, tag: string) {
    const { operation: operationId, summary, access, location } = route;
    return {
      ...{ operationId, tags: [tag], summary, description: descriptionOf(route) },
      security: securityOf(ACCESS[access]),
      ...parametersOf(route),
      ...requestBody(route, schemas.shown),
      responses: {
        [location ? '201' : '200']: success(route),
        ...(route.isAsset && { 304: { description: 'It is still as the `If-None-Match` of the request says.' } }),
        ...problems.of(route),
      },
      'x-codeSamples': [{ lang: 'Shell', label: 'curl', source: curlOf(route) }],
    };
  }

  function success({ answer, location, query, isPublishing, mediaType = 'application/json', alsoAs = {} }: Route) {
    const isList = (answer as JsonSchema).type === 'array' && query !== undefined;
    const headers = {
      'X-Request-Id': header('RequestId'),
      ...(location && { Location: header('Location') }),
      ...(isList && { Link: header('Link') }),
      ...(isPublishing && { RateLimit: header('RateLimit'), 'RateLimit-Policy': header('RateLimitPolicy') }),
    };
    const description = location ? 'It is made.' : 'It is as it was asked for.';
    const content = { [mediaType.split(';', 1)[0] as string]: contentOf(answer), ...mapped(alsoAs, contentOf) };
    return { description, headers, content };
  }

  function contentOf(answer: TSchema) {
    return { schema: schemas.shown(answer), example: exampleOf(answer) };
  }

  return {
    openapi: '3.1.1',
    info: { ...ABOUT, version: PRODUCT.version },
    servers: [{ url: '/', description: 'This deployment.' }],
    tags: groups.map(({ name, description }) => ({ name, description })),
    paths,
    webhooks: { event: { post: delivery(schemas.shown) } },
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: HEADERS,
      responses: problems.byName,
      schemas: schemas.byTitle,
    },
  };
}

export const templateOf = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');

const header = (name: string) => ({ $ref: `#/components/headers/${name}` });

function pathParameters(path: string): Record<string, object> {
  const parameters = idsIn(path).map((name) => ({ name, in: 'path', required: true, ...PATH_IDS[name] }));
  return parameters.length > 0 ? { parameters } : {};
}

function descriptionOf({ access, isDelivering, method, body }: Route): string {
  const sentences = [
    `Who may: ${ACCESS[access].who}.`,
    isDelivering && 'It waits, or is refused, while more is published than can be delivered.',
    method === 'PUT' && 'It changes only the fields that are sent; `null` clears an optional one.',
    method === 'POST' && body && 'With an `Idempotency-Key` it can be repeated safely.',
  ];
  return sentences.filter(Boolean).join(' ');
}

function parametersOf({ method, query, alsoAs }: Route) {
  const properties = (query?.properties ?? {}) as Record<string, JsonSchema>;
  const asked = Object.entries(properties).map(([name, { description = '', ...schema }]) => ({
    ...{ name, in: 'query', description, schema: createSchemas().shown(schema) },
  }));
  const parameters = [
    ...asked,
    ...(method === 'POST' ? [IDEMPOTENCY_KEY] : []),
    ...(alsoAs && EVENT_STREAM_TYPE in alsoAs ? [LAST_EVENT_ID] : []),
  ];
  return parameters.length > 0 ? { parameters } : {};
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'Of a stream: the `id` of the last event that came, to go on behind it; in place of `after`.',
  schema: { type: 'string', examples: ['MS40Mg'] },
};

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'The same key with the same body within 24 hours answers the first response again, and makes nothing new.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~ ]+$', examples: ['import-2026-11-24-1'] },
};

/** What a subscriber is sent. */
function delivery(schemaOf: SchemaOf) {
  const signed = mapped(SIGNED, (description) => ({ description, schema: { type: 'string' } }));
  return {
    operationId: 'receiveEvent',
    tags: ['Events'],
    summary: 'What each webhook is sent',
    description: 'Signed after Standard Webhooks; anything but 200 is a failure, and it is sent again.',
    security: [],
    parameters: Object.entries(signed).map(([name, rest]) => ({ name, in: 'header', required: true, ...rest })),
    requestBody: {
      required: true,
      content: { 'application/json': { schema: schemaOf(EventAnswer), example: exampleOf(EventAnswer) } },
    },
    responses: {
      200: { description: 'It is delivered.' },
      '4XX': { description: 'It is not: it is sent again.' },
      '5XX': { description: 'It is not: it is sent again.' },
    },
  };
}

const SIGNED = {
  'webhook-id': 'The same for every attempt of one event to one webhook.',
  'webhook-timestamp': 'Seconds since the epoch, of this attempt.',
  'webhook-signature':
    'Signatures over `id.timestamp.body`, separated by spaces: `v1,` and the base64 of HMAC-SHA-256, `v1a,` and that of Ed25519.',
};
