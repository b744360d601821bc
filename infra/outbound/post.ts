import { Agent, Pool } from 'undici';
import type { Reply } from '../../domain/delivery.ts';
import { Connection } from './connection.ts';
import { type ConnectorOptions, createConnector } from './connector.ts';
import { Exchange } from './exchange.ts';

export type Outbound = ReturnType<typeof createOutbound>;

/** The most bytes of an answer's headers. */
const HEADER_BYTES = 16 * 1_024;
/** The longest that a connection is kept for the next POST where the other side offers it, in ms. */
const IDLE_MS = 60_000;

/** Sends POSTs to addresses that strangers choose: no redirects, no cookies, nothing decompressed, bounded in time and size. */
export function createOutbound(options: ConnectorOptions) {
  const connect = createConnector(options);
  const newAgent = (pipelining: 0 | 1) =>
    new Agent({
      factory: (origin, pool) =>
        new Pool(origin, { ...pool, factory: (place, client) => new Connection(place, client) }),
      connect,
      pipelining,
      allowH2: false,
      // Our own clock runs from connect to the end of the headers.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: HEADER_BYTES,
      keepAliveMaxTimeout: IDLE_MS,
    });
  const agent = newAgent(1);
  /** Takes a new connection for each POST. */
  const unpooled = newAgent(0);

  return {
    /** Never rejects: what goes wrong is an answer too. */
    post(url: string, headers: Record<string, string>, body: Uint8Array): Promise<Reply> {
      return new Promise((settle) => {
        const { origin, pathname, search } = new URL(url);
        const request = { origin, path: pathname + search, method: 'POST', headers, body } as const;
        const again = () => unpooled.dispatch(request, exchange);
        const exchange = new Exchange({ timeoutMs: options.timeoutMs, settle, again });
        agent.dispatch(request, exchange);
      });
    },
    async close(): Promise<void> {
      await Promise.all([agent.destroy(), unpooled.destroy()]);
    },
  };
}
