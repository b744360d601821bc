import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the receiver got it, its body read to the end. */
export interface Hit {
  readonly method: string;
  /** With its query, as it stood in the request line. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** When it was all there, in ms since the epoch. */
  readonly atMs: number;
}

/**
 * What the receiver does with a request: `answer`s it, lets it `hang` for ever, `close`s the connection without a byte,
 * `close-mid-head` or `close-mid-body` after a part of the answer, or answers and lets the body `drip` for ever.
 */
export type Behaviour = 'answer' | 'hang' | 'close' | 'close-mid-head' | 'close-mid-body' | 'drip';

export interface Reply {
  /** 200 unless said otherwise. */
  readonly status?: number;
  /** Wait before whatever `behaviour` says. */
  readonly delayMs?: number;
  /** The same, until something has happened. */
  readonly after?: Promise<void>;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly behaviour?: Behaviour;
}

/** A reply, or how to make one of a hit; `nth` counts the hits on its path from 1. */
export type Replying = Reply | ((hit: Hit, nth: number) => Reply);

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** How long `whenHits` waits before it gives up, in ms. */
const GENEROUS_MS = 20_000;
/** How often a dripping body gets its next byte, in ms. */
const DRIP_MS = 20;

/** A real HTTP subscriber: keeps every hit, and does with it what a test says, which may change while it runs. */
export async function startReceiver({ port = 0, host = '127.0.0.1' } = {}) {
  const hits: Hit[] = [];
  const nths = new Map<string, number>();
  const localAddresses: string[] = [];
  const replies = new Map<string, Replying>();
  const waiting = createWaiting(hits);
  let reply: Replying = {};
  let connections = 0;

  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    response.on('error', () => {});
    const hit = await readHit(request).catch(() => undefined);
    if (!hit) return;
    const pathname = pathnameOf(hit);
    const nth = (nths.get(pathname) ?? 0) + 1;
    nths.set(pathname, nth);
    hits.push(hit);
    localAddresses.push(request.socket.localAddress?.replace('::ffff:', '') ?? 'none');
    waiting.take(hit);
    const replying = replies.get(pathname) ?? reply;
    await send(response, typeof replying === 'function' ? replying(hit, nth) : replying);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { port: bound } = server.address() as AddressInfo;

  return {
    /** Every request so far, in the order in which their bodies were complete. */
    hits: hits as readonly Hit[],
    port: bound,
    url: (path = '/'): string => `http://${host}:${bound}${path}`,
    /** The address of this machine at which each hit arrived. */
    localAddresses: (): readonly string[] => localAddresses,
    /** Connections that were made to it so far. */
    connections: (): number => connections,
    hitsAt: (path: string): Hit[] => hits.filter((hit) => pathnameOf(hit) === path),
    /** Those of the events that have never come to `path`. */
    missing(eventIds: readonly number[], path: string): number[] {
      const received = new Set(this.hitsAt(path).map(({ body }) => JSON.parse(body.toString()).id));
      return eventIds.filter((id) => !received.has(id));
    },
    /** From now on requests are treated like this: those to `path`, or all that no path was named for. */
    reply(replying: Replying, path?: string): void {
      if (path === undefined) reply = replying;
      else replies.set(path, replying);
    },
    /** Forgets hits and replies, as if it had just started. */
    reset(): void {
      hits.length = 0;
      localAddresses.length = 0;
      nths.clear();
      replies.clear();
      reply = {};
    },
    /** Resolves with the first `count` hits that match, once there are that many. @throws Error saying what was there instead */
    whenHits: (count: number, matches: (hit: Hit) => boolean = () => true, timeoutMs = GENEROUS_MS): Promise<Hit[]> =>
      waiting.whenHits(count, matches, timeoutMs),
    /** Resolves when nothing of it is left, open connections included. */
    close(): Promise<void> {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function pathnameOf({ path }: Hit): string {
  return path.split('?', 1)[0] as string;
}

async function readHit(request: IncomingMessage): Promise<Hit> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = '', url: path = '', headers } = request;
  return { method, path, headers, body: Buffer.concat(chunks), atMs: Date.now() };
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  const { status = 200, delayMs = 0, after, body = '', headers = {}, behaviour = 'answer' } = reply;
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await after;
  switch (behaviour) {
    case 'answer':
      response.writeHead(status, headers).end(body);
      return;
    case 'hang':
      return;
    case 'close':
      response.socket?.destroy();
      return;
    case 'close-mid-head':
      response.socket?.write(`HTTP/1.1 ${status} Half\r\ncontent-ty`, () => response.socket?.destroy());
      return;
    case 'close-mid-body':
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) + 1_000 });
      response.write(body || ' ', () => response.socket?.destroy());
      return;
    case 'drip': {
      response.writeHead(status, headers);
      if (body.length > 0) response.write(body);
      const timer = setInterval(() => response.write('.'), DRIP_MS);
      response.on('close', () => clearInterval(timer));
    }
  }
}

interface Waiter {
  readonly matches: (hit: Hit) => boolean;
  readonly count: number;
  readonly found: Hit[];
  readonly resolve: (hits: Hit[]) => void;
}

/** Each hit is shown to each waiter once, so that waiting for thousands costs no more than having them. */
function createWaiting(hits: readonly Hit[]) {
  const waiters = new Set<Waiter>();

  function show(waiter: Waiter, hit: Hit) {
    if (waiter.found.length < waiter.count && waiter.matches(hit)) waiter.found.push(hit);
    if (waiter.found.length === waiter.count) waiter.resolve(waiter.found);
  }
  return {
    take(hit: Hit): void {
      for (const waiter of [...waiters]) show(waiter, hit);
    },
    whenHits(count: number, matches: (hit: Hit) => boolean, timeoutMs: number): Promise<Hit[]> {
      return new Promise((resolve, reject) => {
        const found: Hit[] = [];
        const timer = setTimeout(() => {
          waiters.delete(waiter);
          reject(
            new Error(`${found.length} of ${count} hits after ${timeoutMs} ms; all there were: ${describeHits(hits)}`),
          );
        }, timeoutMs);
        const waiter: Waiter = {
          ...{ matches, count, found },
          resolve(enough) {
            clearTimeout(timer);
            waiters.delete(waiter);
            resolve(enough);
          },
        };
        waiters.add(waiter);
        if (count === 0) waiter.resolve(found);
        for (const hit of hits) if (waiters.has(waiter)) show(waiter, hit);
      });
    },
  };
}

/** The last few hits, one line each. */
function describeHits(hits: readonly Hit[]): string {
  if (hits.length === 0) return 'none';
  const lines = hits.slice(-20).map(({ method, path, headers, body }) => {
    return `${method} ${path} ${headers['webhook-id'] ?? ''} ${body.toString().slice(0, 200)}`;
  });
  return [`${hits.length}, the last of them`, ...lines].join('\n  ');
}
