import { ACCESS } from '../access.ts';
import type { Route } from '../route.ts';
import { ChannelId, EventId, RequestId, WebhookId } from '../routes/answers.ts';
import { exampleOf } from './example.ts';

const IDS: Readonly<Record<string, unknown>> = {
  ':channel': exampleOf(ChannelId),
  ':webhook': exampleOf(WebhookId),
  ':event': exampleOf(EventId),
  ':recovery': exampleOf(RequestId),
};

/** The request of a route as a command line. */
export function curlOf({ method, path, access, body }: Route): string {
  const rule: { readonly withoutKey: string; readonly keys: readonly string[] } = ACCESS[access];
  const address = path.replaceAll(/:\w+/g, (name) => String(IDS[name]));
  const key = rule.keys.includes('publisher') ? '$PUBLISHER_KEY' : '$ADMIN_KEY';
  const fields = body && JSON.stringify(exampleOf(body));
  const parts = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}"$API${address}"`,
    ...(rule.withoutKey === 'never' || rule.keys.length > 0 ? [`-u "${key}:"`] : []),
    ...(fields && fields !== '{}' ? ["-H 'Content-Type: application/json'", `-d '${fields}'`] : []),
  ];
  return parts.join(' \\\n  ');
}
