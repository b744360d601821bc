import { Agent, type Dispatcher } from 'undici';
import type { Answer, AttemptError } from '../../domain/delivery.ts';
import { createConnector } from './connector.ts';

/** How much of an answer's body is kept, and how much is read, for how long, so that the connection can be used again. */
const KEPT_BYTES = 1_024;
const READ_BYTES = 64 * 1_024;
const READ_MS = 1_000;

export type Outbound = ReturnType<typeof createOutbound>;

/** Sends POSTs to addresses that strangers choose: no redirects, no cookies, bounded in time and size. */
export function createOutbound({
  timeoutMs,
  allowPrivateNetworks,
}: {
  timeoutMs: number;
  allowPrivateNetworks: boolean;
}) {
  const agent = new Agent({
    connect: createConnector({ timeoutMs, allowPrivateNetworks }),
    pipelining: 1,
    // Our own clock runs from connect to the end of the headers.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1_024,
  });
  return {
    /** Never rejects: what goes wrong is an answer too. */
    post(url: string, headers: Record<string, string>, body: Uint8Array): Promise<Answer> {
      return new Promise((resolve) => {
        const { origin, pathname, search } = new URL(url);
        const exchange = new Exchange(timeoutMs, resolve);
        agent.dispatch({ origin, path: pathname + search, method: 'POST', headers, body }, exchange);
      });
    },
    close: (): Promise<void> => agent.destroy(),
  };
}

class TimeLimit extends Error {}

/** One POST and its answer. Settles once: with the status once its headers are in, with an error where they never come. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #startedMs = performance.now();
  readonly #settle: (answer: Answer) => void;
  #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | null = null;
  #durationMs = 0;
  #kept: Buffer[] = [];
  #readBytes = 0;
  #isSettled = false;

  constructor(timeoutMs: number, settle: (answer: Answer) => void) {
    this.#settle = settle;
    this.#timer = setTimeout(() => this.#giveUp(), timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(new TimeLimit());
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number) {
    if (status < 200) return;
    this.#status = status;
    this.#durationMs = performance.now() - this.#startedMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp(), READ_MS);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#readBytes < KEPT_BYTES) this.#kept.push(chunk.subarray(0, KEPT_BYTES - this.#readBytes));
    this.#readBytes += chunk.length;
    if (this.#readBytes <= READ_BYTES) return;
    this.#finish(null);
    controller.abort(new TimeLimit());
  }

  onResponseEnd() {
    this.#finish(null);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error) {
    this.#finish(this.#status === null ? attemptError(error) : null);
  }

  #giveUp() {
    this.#finish(this.#status === null ? 'timeout' : null);
    this.#controller?.abort(new TimeLimit());
  }

  #finish(error: AttemptError | null) {
    clearTimeout(this.#timer);
    if (this.#isSettled) return;
    this.#isSettled = true;
    const durationMs = this.#status === null ? performance.now() - this.#startedMs : this.#durationMs;
    this.#settle({
      status_code: this.#status,
      error,
      duration_ms: Math.round(durationMs),
      response_body: Buffer.concat(this.#kept).toString(),
    });
  }
}

/** By `code` of Node's and undici's errors. */
const ERRORS: Readonly<Record<string, AttemptError>> = {
  BLOCKED_ADDRESS: 'blocked_address',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  EADDRNOTAVAIL: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ENODATA: 'dns',
  EPROTO: 'tls',
};

function attemptError(error: Error): AttemptError {
  if (error instanceof TimeLimit) return 'timeout';
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code = String((first as NodeJS.ErrnoException).code ?? '');
  const known = ERRORS[code];
  if (known) return known;
  return /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/.test(code) ? 'tls' : 'protocol';
}
