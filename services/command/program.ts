import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ApiError, ConnectionError, createClient } from '../../clients/typescript/src/index.ts';
import { readRun } from '../../infra/local/run-file.ts';
import { PRODUCT } from '../../infra/product.ts';
import { id, status } from '../arguments.ts';
import { listen } from './listen.ts';
import { publish } from './publish.ts';
import { tail } from './tail.ts';

/** Where a gateway is unless somebody says so. */
const DEFAULT_URL = 'http://127.0.0.1:8080';

/** What every command takes that calls the API. */
interface Reaching {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
}

/** The commands for those who use the service, over its HTTP API. */
export function program(): Command {
  const webhooks = new Command('webhooks')
    .version(PRODUCT.version)
    .description('Publishes to a webhooks server, receives from it, and looks into it.');

  reaching(webhooks.command('listen'), 'the admin key where the server has one, or the publisher key of --channel')
    .description('receives deliveries here and prints each, with what its signature is worth, until it is stopped')
    .option('--channel <id>', 'a channel that there is; absent: makes one, and deletes it in the end', id)
    .option('--events <pattern...>', 'which events, such as order.*; absent: all')
    .option('--port <port>', 'where to listen; absent: where there is room', port, 0)
    .option('--status <code>', 'what to answer', status, 200)
    .action((options) => listen(clientOf(options), options));

  reaching(webhooks.command('publish'), 'the publisher key')
    .description('publishes an event, and prints it as JSON')
    .argument('<event name>', 'such as order.created')
    .requiredOption('--channel <id>', 'id or guid of the channel')
    .option('--data <json>', 'what the event says, an object', object)
    .option('--ext-ref-code <text>', 'a reference of your own')
    .option('--event-url <url>', 'where more can be read about it')
    .option('--idempotency-key <key>', 'makes it one event, however often it is published')
    .action((name, options) => publish(clientOf(options), name, options));

  reaching(webhooks.command('tail'), 'the publisher key; of a webhook also its subscriber key')
    .description('prints events as they are published, a JSON object a line, until it is stopped')
    .requiredOption('--channel <id>', 'id or guid of the channel')
    .option('--webhook <id>', 'those of this webhook; absent: all of the channel', id)
    .option('--all', 'and first all there were')
    .action((options) => tail(clientOf(options), options));

  reaching(webhooks.command('mcp'), 'the key that it acts with; over HTTP each request brings its own')
    .description('serves the Model Context Protocol on stdin and stdout, or over HTTP: find events, explain, redeliver')
    .option('--http <port>', 'over HTTP, on loopback, at this port', port)
    .action(async (options) => {
      // Large, and of no use to the other commands.
      const { serveMcp } = await import('./mcp/mcp.ts');
      await serveMcp({ baseUrl: urlOf(options), key: options.key, http: options.http });
    });

  return webhooks;
}

function reaching(command: Command, whichKey: string): Command {
  return command
    .addOption(
      new Option('--url <url>', 'where the server is; absent: the one that runs on DATA_DIR').env('WEBHOOKS_URL'),
    )
    .addOption(new Option('--key <key>', whichKey).env('WEBHOOKS_KEY'));
}

function clientOf(options: Reaching) {
  return createClient({ baseUrl: urlOf(options), key: options.key });
}

function urlOf({ url }: Reaching): string {
  return url ?? readRun(resolve(process.env.DATA_DIR ?? './data'))?.url ?? DEFAULT_URL;
}

function port(text: string): number {
  const number = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 65_535)) throw new InvalidArgumentError('It must be a port.');
  return number;
}

function object(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new InvalidArgumentError('It must be a JSON object.');
}

const SDK = '@modelcontextprotocol/sdk';

/** What the user of these commands can mend, in one line; undefined for what is our own fault. */
export function mendable(error: unknown): string | undefined {
  if (error instanceof ApiError || error instanceof ConnectionError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(SDK))
    return `this needs a package: npm install --no-save ${SDK}`;
  return code === 'EADDRINUSE' ? message : undefined;
}
