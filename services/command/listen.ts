import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type Channel, type Client, SignatureError, verify, type Webhook } from '../../clients/typescript/src/index.ts';
import { whenStopped } from './stopped.ts';

interface Options {
  readonly channel?: number;
  readonly key?: string;
  readonly events?: string[];
  readonly port: number;
  readonly status: number;
}

/** Receives at a webhook of its own, and prints what comes, until it is stopped. What it has made it deletes. */
export async function listen(client: Client, options: Options): Promise<void> {
  const stopped = whenStopped();
  const server = createServer();
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  try {
    await receive(client, options, server, stopped);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function receive(client: Client, options: Options, server: Server, stopped: AbortSignal): Promise<void> {
  const { channel, key, remove } = await channelFor(client, options);
  const webhook_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const fields = { name: 'webhooks listen', webhook_url, event_names: options.events };
    const webhook = await client.webhooks.create(channel, fields, { key });
    server.on('request', (request, response) => {
      take(request, response, webhook, options.status).catch((error: Error) => {
        console.error(`a delivery did not arrive whole: ${error.message}`);
        response.destroy();
      });
    });
    console.log(greeting(webhook, channel, remove && key));
    if (!stopped.aborted) await once(stopped, 'abort');
    await client.webhooks.delete(channel, webhook.id, { key });
  } finally {
    await remove?.();
  }
}

/** The channel that is named, or a new one. */
async function channelFor(client: Client, { channel, key }: Options) {
  if (channel !== undefined) return { channel, key, remove: undefined };
  const made: Channel = await client.channels.create({ name: 'webhooks listen' });
  const { id, publisher_key } = made;
  return { channel: id, key: publisher_key, remove: () => client.channels.delete(id, { key: publisher_key }) };
}

/** @param madeKey of a channel that was made here: whoever names one knows its key, and need not see it on a screen */
function greeting(webhook: Webhook, channel: number, madeKey: string | undefined): string {
  const { id, webhook_url, subscriber_key, signing_secret } = webhook;
  return [
    '',
    `  Channel    ${channel}  ${madeKey ?? ''}`,
    `  Webhook    ${id}  ${subscriber_key}`,
    `  Signed     ${signing_secret}`,
    `  Listening  ${webhook_url}`,
    '',
    `  Publish    npx webhooks publish order.created --channel ${channel} --key ${madeKey ?? '…'} --data '{"order":1}'`,
    '  Stop with Ctrl-C',
    '',
  ].join('\n');
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  { signing_secret }: Webhook,
  status: number,
): Promise<void> {
  const body = await buffer(request);
  const verdict = await verdictOn(request, body, signing_secret);
  response.writeHead(status).end();
  console.log(`${new Date().toISOString()}  ${verdict}  answered ${status}\n    ${body}`);
}

/** What a delivery is, and what its signature is worth. */
async function verdictOn({ headers }: IncomingMessage, body: Buffer, secret: string): Promise<string> {
  try {
    const { id, event } = await verify(secret, { headers, body });
    return `${event.event_name} ${event.id}  signature good  ${id}`;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return `signature BAD: ${error.message}`;
  }
}
