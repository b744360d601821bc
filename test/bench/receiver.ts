import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nowUs } from './clock.ts';

/**
 * A subscriber in a process of its own. At `/hang…` it never answers, at `/fail…` with 500 until it is told to mend that, at `/turn…` with 200 until
 * it is told to hang there too.
 * Elsewhere it answers 200 and notes how long each event took from `data.sent_us` to here, by `data.round`. It listens at all of 127.0.0.0/8, so that
 * each webhook can have a host of its own. Over IPC it says its port; told to `{ expect, round }` so many, it sends `{ latenciesMs }` of that round once it has
 * them; told to `{ list }` a round, it sends the `{ arrivals }` of it so far; told to `{ turn }`, it hangs, to `{ mend }`, it fails no more; told anything else, it sends how many have
 * `failed`, been `hung` and `mended`.
 */
export type Order =
  | { expect: number; round: number }
  | { list: number }
  | { turn: true }
  | { mend: true }
  | { count: true };

export interface Counts {
  readonly failed: number;
  readonly hung: number;
  readonly mended: number;
}

/** An event that has arrived: its id, when it was sent or due, and how long it took since, in ms. */
export interface Arrival {
  readonly id: number;
  readonly sentUs: number;
  readonly latencyMs: number;
}

const rounds = new Map<number, Arrival[]>();
const counts = { failed: 0, hung: 0, mended: 0 };
let awaited: { expect: number; round: number } | undefined;
let hasTurned = false;
let isMended = false;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request.url ?? '', response, Buffer.concat(chunks).toString()));
});

function answer(path: string, response: ServerResponse, body: string) {
  if (path.startsWith('/hang') || (hasTurned && path.startsWith('/turn'))) {
    counts.hung += 1;
    return;
  }
  if (path.startsWith('/fail') && !isMended) {
    counts.failed += 1;
    response.writeHead(500).end();
    return;
  }
  response.end('ok');
  if (path.startsWith('/fail')) counts.mended += 1;
  else if (!path.startsWith('/turn')) note(body);
}

function note(body: string) {
  const us = nowUs();
  const [, sentUs] = /"sent_us":(\d+)/.exec(body) ?? [];
  const round = Number(/"round":(\d+)/.exec(body)?.[1]);
  const id = Number(/"id":(\d+)/.exec(body)?.[1]);
  const arrivals = rounds.get(round) ?? [];
  rounds.set(round, arrivals);
  arrivals.push({ id, sentUs: Number(sentUs), latencyMs: (us - Number(sentUs)) / 1_000 });
  report();
}

function report() {
  if (!awaited) return;
  const arrivals = rounds.get(awaited.round) ?? [];
  if (arrivals.length < awaited.expect) return;
  process.send?.({ latenciesMs: arrivals.map(({ latencyMs }) => latencyMs) });
  rounds.delete(awaited.round);
  awaited = undefined;
}

process.on('message', (order: Order) => {
  if ('expect' in order) {
    awaited = order;
    report();
  } else if ('list' in order) {
    process.send?.({ arrivals: rounds.get(order.list) ?? [] });
  } else if ('turn' in order) {
    hasTurned = true;
  } else if ('mend' in order) {
    isMended = true;
  } else {
    process.send?.(counts);
  }
});
process.on('disconnect', () => process.exit(0));
// Nobody but this machine is answered.
server.on('connection', (socket) => {
  if (!socket.remoteAddress?.startsWith('127.')) socket.destroy();
});
server.listen(0, '0.0.0.0', () => process.send?.({ port: (server.address() as AddressInfo).port }));
