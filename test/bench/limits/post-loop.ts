import { Agent, type Dispatcher } from 'undici';
import { nowUs } from '../clock.ts';

/**
 * The least that a sender does: POSTs with undici, so many at a time, and nothing else. Over IPC it takes an order and answers with how many there were and
 * how long they took.
 */
export interface PostOrder {
  readonly url: string;
  readonly width: number;
  readonly durationMs: number;
  /** Told to the receiver, which counts them under it. */
  readonly round: number;
}

const agent = new Agent({ pipelining: 1 });

function post(origin: string, round: number): Promise<void> {
  const body = JSON.stringify({ id: 1, event_name: 'bench.tick', data: { round, sent_us: nowUs() } });
  const headers = { 'content-type': 'application/json', 'user-agent': 'bench' };
  return new Promise((resolve, reject) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: () => {},
      onResponseData: () => {},
      onResponseEnd: () => resolve(),
      onResponseError: (_, error) => reject(error),
    };
    agent.dispatch({ origin, path: '/', method: 'POST', headers, body }, handler);
  });
}

async function loop({ url, width, durationMs, round }: PostOrder) {
  const { origin } = new URL(url);
  const beganMs = performance.now();
  let count = 0;
  const sender = async () => {
    while (performance.now() - beganMs < durationMs) {
      await post(origin, round);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: width }, sender));
  return { count, tookMs: performance.now() - beganMs };
}

process.on('message', async (order: PostOrder) => process.send?.(await loop(order)));
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
