import type { Client } from '../../clients/typescript/src/index.ts';

interface Options {
  readonly channel: string;
  readonly data?: Record<string, unknown>;
  readonly extRefCode?: string;
  readonly eventUrl?: string;
  readonly idempotencyKey?: string;
}

/** Publishes an event, and prints it. */
export async function publish(client: Client, event_name: string, options: Options): Promise<void> {
  const { channel, data, extRefCode: ext_ref_code, eventUrl: event_url, idempotencyKey } = options;
  const event = await client.events.publish(channel, { event_name, data, ext_ref_code, event_url }, { idempotencyKey });
  console.log(JSON.stringify(event));
}
