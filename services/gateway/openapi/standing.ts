import type { ACCESS } from '../access.ts';

/** What is said of the API as a whole. */
export const ABOUT = {
  title: 'webhooks',
  summary: 'Channels, their webhooks, and events that are delivered to each until it answers with 200.',
  description: [
    'A publisher makes a **channel** and gets a publisher key. Subscribers hang **webhooks** on it. Each **event** of the channel is POSTed to every webhook; where the answer is not 200, again once an hour for 24 hours. The **notification log** tells what happened to each.',
    'Bodies are JSON or forms, up to 256 KiB. A key is the user name of HTTP Basic with an empty password, or a Bearer token. What goes wrong is a problem (RFC 9457): its `type` leads to what it means.',
  ].join('\n\n'),
  license: { name: 'MIT', identifier: 'MIT' },
};

const basic = (description: string) => ({ type: 'http', scheme: 'basic', description });

export const SECURITY_SCHEMES = {
  publisherKey: basic('The key of a channel, `pk_…`, as user name; the password is empty.'),
  subscriberKey: basic('The key of a webhook, `sk_…`, as user name; the password is empty.'),
  adminKey: basic('The `ADMIN_KEY` of the deployment, where it has one, as user name; the password is empty.'),
  bearer: { type: 'http', scheme: 'bearer', description: 'Any of these keys.' },
};

/** Which keys a route takes, by its rule. */
export function securityOf({ withoutKey, keys }: (typeof ACCESS)[keyof typeof ACCESS]) {
  if (withoutKey === 'always') return [];
  const roles: readonly string[] = keys;
  const schemes = [
    ...(roles.includes('publisher') ? ['publisherKey'] : []),
    ...(roles.some((role) => role.endsWith('subscriber')) ? ['subscriberKey'] : []),
    ...['adminKey', 'bearer'],
  ];
  const anyOfThem: Record<string, string[]>[] = schemes.map((scheme) => ({ [scheme]: [] }));
  return withoutKey === 'never' ? anyOfThem : [...anyOfThem, {}];
}

const header = (description: string, ...examples: string[]) => ({ description, schema: { type: 'string', examples } });

export const HEADERS = {
  RequestId: header('The id of the request, its own where it had a sane one.', '3f0c0a52-6d2f-4f5c-8a53-0d9f3a0c4c11'),
  Location: header('Where it is.', '/v1/channels/9999'),
  Link: header('The next page, where there is one.', '</v1/channels/9999/events?after=567890>; rel="next"'),
  RetryAfter: header('When to try again: seconds from now.', '1'),
  Challenge: header('Which authentication is asked for.', 'Basic realm="webhooks"'),
  RateLimit: header('What the channel may still publish, where that is limited.', '"publish";r=42;t=1'),
  RateLimitPolicy: header('What it may publish in a time, where that is limited.', '"publish";q=100;w=1'),
};
