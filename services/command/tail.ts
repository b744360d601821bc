import type { Client } from '../../clients/typescript/src/index.ts';
import { whenStopped } from './stopped.ts';

interface Options {
  readonly channel: string;
  readonly webhook?: number;
  readonly all?: true;
}

/** Prints the events of a channel, or of one of its webhooks, as they come, until it is stopped. */
export async function tail(client: Client, { channel, webhook, all }: Options): Promise<void> {
  const ofAll = webhook === undefined;
  const begin = { after: 'now' };
  const read = () => (ofAll ? client.channels.feed(channel, begin) : client.webhooks.feed(channel, webhook, begin));
  const options = { after: all ? undefined : (await read()).cursor, signal: whenStopped() };
  const events = ofAll ? client.channels.follow(channel, options) : client.webhooks.follow(channel, webhook, options);
  console.error('Waiting for events. Stop with Ctrl-C');
  for await (const { event } of events) console.log(JSON.stringify(event));
}
