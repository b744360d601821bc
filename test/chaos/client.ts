import { Agent, request } from 'undici';

/** How long an answer is waited for, in ms: longer than the API's own deadlines, so that it is the API that gives up. */
const PATIENCE_MS = 12_000;

export interface Answered {
  /** 0 where there was no answer. */
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what it is depends on the request
  readonly body: any;
  readonly sentMs: number;
  readonly endedMs: number;
}

export interface Call {
  readonly key?: string | undefined;
  readonly json?: unknown;
  readonly idempotencyKey?: string | undefined;
}

export type Client = ReturnType<typeof createClient>;

/** A client of the API that expects anything: no answer is an answer too. */
export function createClient(url: string) {
  const agent = new Agent({ connections: 64, headersTimeout: 0, bodyTimeout: 0 });
  return {
    async call(method: string, path: string, { key, json, idempotencyKey }: Call = {}): Promise<Answered> {
      const sentMs = Date.now();
      const headers = {
        ...(key !== undefined && { authorization: `Basic ${btoa(`${key}:`)}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      };
      try {
        const signal = AbortSignal.timeout(PATIENCE_MS);
        const body = json === undefined ? null : JSON.stringify(json);
        const options = { method: method as 'POST', headers, body, dispatcher: agent, signal };
        const answer = await request(url + path, options);
        const text = await answer.body.text();
        return { status: answer.statusCode, body: JSON.parse(text), sentMs, endedMs: Date.now() };
      } catch {
        return { status: 0, body: undefined, sentMs, endedMs: Date.now() };
      }
    },
    close: (): Promise<void> => agent.destroy(),
  };
}
