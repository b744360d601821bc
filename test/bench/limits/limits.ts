import { type ChildProcess, fork } from 'node:child_process';
import { createLeanClient, jsonRequest, type LeanClient } from '../lean-client.ts';
import { nextMessage } from '../load.ts';
import type { PostOrder } from './post-loop.ts';

/** A bare Koa server, and a client of it with so many connections. */
export async function startKoaEcho(): Promise<{ connect(connections: number): LeanClient; stop(): void }> {
  const child = fork(new URL('./koa-echo.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(child);
  return {
    connect: (connections) => createLeanClient(`http://127.0.0.1:${port}`, connections),
    stop: () => child.kill(),
  };
}

/** A process that does nothing but POST. */
export async function startPostLoop(): Promise<{ run(order: PostOrder): Promise<number>; stop(): void }> {
  const child: ChildProcess = fork(new URL('./post-loop.ts', import.meta.url));
  await nextMessage(child);
  return {
    /** POSTs a second. */
    async run(order) {
      const done = nextMessage<{ count: number; tookMs: number }>(child, { patienceMs: order.durationMs + 60_000 });
      child.send(order);
      const { count, tookMs } = await done;
      return (count / tookMs) * 1_000;
    },
    stop: () => child.kill(),
  };
}

/** Sends the same request over and over, `width` at a time, for so long; how long each took, in ms, and all together. */
export async function hammer(
  client: LeanClient,
  {
    path,
    json,
    key,
    width,
    durationMs,
  }: { path: string; json: string; key?: string; width: number; durationMs: number },
): Promise<{ latenciesMs: number[]; tookMs: number }> {
  const request = jsonRequest(client.host, path, json, key);
  const latenciesMs: number[] = [];
  const beganMs = performance.now();
  const sender = async () => {
    for (let nowMs = performance.now(); nowMs - beganMs < durationMs; ) {
      const { status, text } = await client.exchange(request);
      if (status !== 201) throw new Error(`POST ${path}: ${status} ${text}`);
      const answeredMs = performance.now();
      latenciesMs.push(answeredMs - nowMs);
      nowMs = answeredMs;
    }
  };
  await Promise.all(Array.from({ length: width }, sender));
  return { latenciesMs, tookMs: performance.now() - beganMs };
}
