import type { Client } from '../../clients/typescript/src/index.ts';
import { whenStopped } from './stopped.ts';

interface Options {
  readonly channel: string;
  readonly webhook: number;
  readonly all?: true;
}

/** Prints the events of a webhook as they come, until it is stopped. */
export async function tail(client: Client, { channel, webhook, all }: Options): Promise<void> {
  const after = all ? undefined : (await client.webhooks.feed(channel, webhook, { after: 'now' })).cursor;
  console.error('Waiting for events. Stop with Ctrl-C');
  for await (const { event } of client.webhooks.follow(channel, webhook, { after, signal: whenStopped() })) {
    console.log(JSON.stringify(event));
  }
}
