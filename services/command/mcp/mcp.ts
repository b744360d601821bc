import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { type Client, createClient } from '../../../clients/typescript/src/index.ts';
import { whenStopped } from '../stopped.ts';
import { serveHttp } from './http.ts';
import { createMcpServers } from './server.ts';

interface Options {
  readonly baseUrl: string;
  readonly key: string | undefined;
  /** Of HTTP; absent: over stdin and stdout. */
  readonly http?: number | undefined;
}

/** Serves the Model Context Protocol, until it is stopped or whoever started it is gone. */
export async function serveMcp({ baseUrl, key, http: port }: Options): Promise<void> {
  const stopped = whenStopped();
  const serverWith = createMcpServers();
  const clientWith = (key: string | undefined): Client => createClient({ baseUrl, key });
  if (port !== undefined) return serveHttp((key) => serverWith(clientWith(key)), { port, stopped });
  const server = serverWith(clientWith(key));
  process.stdin.once('end', () => server.close());
  stopped.addEventListener('abort', () => server.close());
  await server.connect(new StdioServerTransport());
}
