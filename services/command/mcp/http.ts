import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

/** On what path it is. */
const PATH = '/mcp';

/**
 * Serves the protocol over HTTP on loopback, until it is stopped. Each request brings the key that it acts with (`Authorization: Bearer`), and has a server
 * of its own: nothing is kept between them.
 */
export async function serveHttp(
  serverFor: (key: string) => Server,
  { port, stopped }: { readonly port: number; readonly stopped: AbortSignal },
): Promise<void> {
  let hosts: string[] = [];
  const http = createServer((request, response) => {
    answer(request, response, serverFor, hosts).catch((error: Error) => {
      console.error(`a request could not be answered: ${error.message}`);
      response.destroy();
    });
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const { port: taken } = http.address() as AddressInfo;
  hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${taken}`);
  console.error(`Serving MCP at http://127.0.0.1:${taken}${PATH}. Stop with Ctrl-C`);
  if (!stopped.aborted) await once(stopped, 'abort');
  http.closeAllConnections();
  http.close();
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  serverFor: (key: string) => Server,
  allowedHosts: string[],
): Promise<void> {
  const [, key] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (request.url?.split('?', 1)[0] !== PATH) return refuse(response, 404, {});
  // Without sessions there is nothing to listen to, and none to end.
  if (request.method !== 'POST') return refuse(response, 405, { Allow: 'POST' });
  if (key === undefined) return refuse(response, 401, { 'WWW-Authenticate': 'Bearer realm="webhooks"' });
  const server = serverFor(key);
  const transport = new StreamableHTTPServerTransport({
    enableJsonResponse: true,
    // A page of another site must not reach it by a name of its own: DNS rebinding.
    ...{ enableDnsRebindingProtection: true, allowedHosts },
  });
  response.once('close', () => void server.close());
  await server.connect(transport as Parameters<Server['connect']>[0]);
  await transport.handleRequest(request, response);
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, headers).end();
}
