import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A subscriber in a process of its own. At `/hang…` it never answers, at `/fail…` with 500; elsewhere it answers 200 and notes how long each event took from
 * `data.sent_ms` to here. Over IPC it says its port; told to `{ expect }` so many, it sends `{ latenciesMs }` once it has them, and counts anew; told
 * anything else, it sends how many have `failed`.
 */
let latenciesMs: number[] = [];
let expected = Number.POSITIVE_INFINITY;
let failed = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url?.startsWith('/hang')) return;
    if (request.url?.startsWith('/fail')) {
      failed += 1;
      response.writeHead(500).end();
      return;
    }
    response.end('ok');
    const [, sentMs] = /"sent_ms":(\d+)/.exec(Buffer.concat(chunks).toString()) ?? [];
    latenciesMs.push(Date.now() - Number(sentMs));
    report();
  });
});

function report() {
  if (latenciesMs.length < expected) return;
  process.send?.({ latenciesMs });
  latenciesMs = [];
  expected = Number.POSITIVE_INFINITY;
}

process.on('message', ({ expect }: { expect?: number }) => {
  if (expect === undefined) {
    process.send?.({ failed });
    return;
  }
  expected = expect;
  report();
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
