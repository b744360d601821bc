import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRandom } from '../support/random.ts';
import type { Hit } from './history.ts';

/** How a receiver behaves is the first part of its path. */
export type Manner = 'steady' | 'flaky' | 'nasty' | 'refusing';

type Way = 'ok' | 'slow' | 'late' | 'error' | 'moved' | 'accepted' | 'huge' | 'never' | 'close' | 'garbage' | 'half';

/** How often each does what. Whatever fails must come right often enough to be delivered within a few tries, but for `refusing`. */
const WAYS: Readonly<Record<Manner, Partial<Record<Way, number>>>> = {
  steady: { ok: 1 },
  flaky: { ok: 60, slow: 10, error: 20, moved: 5, accepted: 5 },
  nasty: { ok: 30, slow: 10, late: 8, huge: 10, never: 10, close: 12, garbage: 10, half: 10 },
  refusing: { error: 1 },
};

/** What a whole status line says; null where none is sent. */
const STATUS: Readonly<Record<Way, number | null>> = {
  ok: 200,
  slow: 200,
  late: 200,
  error: 500,
  moved: 302,
  accepted: 202,
  huge: 200,
  never: null,
  close: null,
  garbage: null,
  half: 200,
};
const HUGE = Buffer.alloc(10 * 1_024 * 1_024, 'x');
/** Beyond the time limit of deliveries in these rounds. */
const LATE_MS = 1_500;

export type Receivers = Awaited<ReturnType<typeof startReceivers>>;

/** All subscribers of a round. What one does with a request depends on the seed, its path, the event and how often it was sent it. */
export async function startReceivers(seed: number, firstHits: Hit[]) {
  let hits = firstHits;
  const nths = new Map<string, number>();
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    response.on('error', () => {});
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    const path = request.url ?? '';
    const ref = (JSON.parse(body) as { ext_ref_code?: string }).ext_ref_code;
    const nth = (nths.get(`${path} ${ref}`) ?? 0) + 1;
    nths.set(`${path} ${ref}`, nth);
    const random = createRandom(seed, 'hit', path, `${ref}`, nth);
    const way = random.weighted(WAYS[path.split('/')[1] as Manner] as Record<Way, number>);
    hits.push(hitOf(request, path, body, STATUS[way]));
    await respond(response, way, random.between(200, 700));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (manner: Manner, name: string) => `http://127.0.0.1:${port}/${manner}/${name}`,
    /** From now on hits are noted there. */
    recordTo(others: Hit[]): void {
      hits = others;
    },
    async close(): Promise<void> {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function hitOf({ headers }: IncomingMessage, path: string, body: string, status: number | null): Hit {
  const [, eventId, webhookId] = String(headers['webhook-id']).split('_').map(Number);
  const timestampS = Number(headers['webhook-timestamp']);
  const isSecondTry = headers.connection === 'close';
  return {
    eventId: eventId ?? 0,
    webhookId: webhookId ?? 0,
    timestampS,
    path,
    body,
    atMs: Date.now(),
    status,
    isSecondTry,
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function respond(response: ServerResponse, way: Way, slowMs: number): Promise<void> {
  switch (way) {
    case 'slow':
      await waitMs(slowMs);
      break;
    case 'late':
      await waitMs(LATE_MS);
      break;
    case 'never':
      return;
    case 'close':
      response.socket?.destroy();
      return;
    case 'garbage':
      response.socket?.end('\x16\x03\x01 this is no HTTP\r\n\r\n');
      return;
    case 'huge':
      response.end(HUGE);
      return;
    case 'half':
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('half of it', () => response.socket?.destroy());
      return;
  }
  response.writeHead(STATUS[way] ?? 500, way === 'moved' ? { location: '/steady/elsewhere' } : {}).end(way);
}

const waitMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
