import Type, { type Static, type TObject } from 'typebox';
import type { Client, List, Webhook } from '../../../clients/typescript/src/index.ts';
import { Closed } from '../../../domain/fields.ts';
import { explained } from './explained.ts';

/** What a model may do with the key of whoever has asked it, and no more than that key may. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: TObject;
  /** Whether it leaves everything as it is. */
  readonly isReading: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: an input of the tool's own schema, which `tool` has checked
  readonly use: (client: Client, input: any) => Promise<unknown>;
}

type Row<I extends TObject> = Omit<Tool, 'input' | 'use'> & {
  readonly input: I;
  readonly use: (client: Client, input: Static<I>) => Promise<unknown>;
};

function tool<I extends TObject>(row: Row<I>): Tool {
  return row;
}

const channel = Type.Union([Type.Integer(), Type.String()], { description: 'Id or guid of the channel.' });
const webhook = Type.Integer({ description: 'Id of the webhook.' });
const event = Type.Integer({ description: 'Id of the event.' });
const time = (description: string) => Type.Optional(Type.String({ description: `${description}: RFC 3339.` }));
const reason = Type.Optional(
  Type.String({ minLength: 1, maxLength: 255, description: 'Why, for whoever reads the log.' }),
);

/** The most that one answer lists: a model reads all of it. */
const MAX_ITEMS = 50;

export const TOOLS: readonly Tool[] = [
  tool({
    name: 'find_events',
    title: 'Find events',
    description:
      'Lists events of a channel, newest first, narrowed down by name, reference, time, or the status of a delivery. Failed deliveries: status "failed".',
    input: Closed({
      channel,
      event_name: Type.Optional(Type.String({ description: 'The whole name, such as order.created.' })),
      ext_ref_code: Type.Optional(Type.String({ description: "The publisher's own reference, whole." })),
      since: time('Published then or later'),
      until: time('Published before'),
      status: Type.Optional(
        Type.Enum(['pending', 'delivered', 'failed', 'cancelled'], { description: 'Of at least one delivery.' }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_ITEMS, default: 20 })),
    }),
    isReading: true,
    use: async (client, { channel, limit = 20, ...query }) => ({
      events: await firstOf(client.events.list(channel, { ...query, limit }), limit),
    }),
  }),
  tool({
    name: 'explain_event',
    title: 'Explain what became of an event',
    description:
      'Tells for each webhook of the channel whether the event was delivered, failed and why, waits and for what, or was never sent there and why not.',
    input: Closed({ channel, event }),
    isReading: true,
    async use(client, { channel, event }) {
      const entries = await firstOf(client.events.notificationLog(channel, event, { include: 'skipped' }), MAX_ITEMS);
      return { webhooks: entries.map((entry) => ({ explanation: explained(entry), ...entry })) };
    },
  }),
  tool({
    name: 'list_webhooks',
    title: 'List webhooks',
    description:
      'Lists the webhooks of a channel: where each leads, what it asks for, whether it is paused or failing.',
    input: Closed({ channel }),
    isReading: true,
    use: async (client, { channel }) => ({
      webhooks: (await firstOf(client.webhooks.list(channel), MAX_ITEMS)).map(withoutSecrets),
    }),
  }),
  tool({
    name: 'webhook_health',
    title: 'How a webhook fares',
    description:
      'Tells the settings of a webhook, since when it fails, its last failed deliveries, and counts and durations of the last hour, day and week.',
    input: Closed({ channel, webhook }),
    isReading: true,
    async use(client, { channel, webhook }) {
      const [settings, stats, failed] = await Promise.all([
        client.webhooks.get(channel, webhook),
        client.webhooks.stats(channel, webhook),
        firstOf(client.webhooks.deliveries(channel, webhook, { status: 'failed', limit: 10 }), 10),
      ]);
      return { webhook: withoutSecrets(settings), stats, last_failed: failed };
    },
  }),
  tool({
    name: 'redeliver_event',
    title: 'Deliver an event again',
    description:
      'Sends an event again, now: to one webhook, or to all that it was on its way to. The receiver gets another POST with the same webhook-id.',
    input: Closed({ channel, event, webhook: Type.Optional(webhook), reason }),
    isReading: false,
    use: (client, { channel, event, webhook: webhook_id, reason }) =>
      client.events.redeliver(channel, event, { webhook_id, reason }),
  }),
  tool({
    name: 'recover_webhook',
    title: 'Deliver again what failed',
    description: 'Sends a webhook again all that failed there since a time, in the background.',
    input: Closed({
      channel,
      webhook,
      since: Type.String({ description: 'Of events published then or later: RFC 3339.' }),
      until: time('And before then'),
      missing: Type.Optional(Type.Boolean({ description: 'Also what it was never sent, since it did not exist yet.' })),
    }),
    isReading: false,
    use: (client, { channel, webhook, ...wanted }) => client.recoveries.start(channel, webhook, wanted),
  }),
];

async function firstOf<T>(list: List<T>, count: number): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) {
    if (items.push(item) === count) break;
  }
  return items;
}

/** What a model has no need of: keys, and the values of headers. */
function withoutSecrets({ subscriber_key, signing_secret, headers, ...webhook }: Webhook) {
  return headers ? { ...webhook, headers: Object.keys(headers) } : webhook;
}
