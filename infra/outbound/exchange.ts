import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AttemptError, Reply } from '../../domain/delivery.ts';
import { attemptError, isConnectionLost, TimeLimit } from './attempt-error.ts';
import type { CarriedHandler, Connection } from './connection.ts';

/** How much of an answer's body is kept, and how much is read, for how long, so that the connection can be used again. */
const KEPT_BYTES = 1_024;
const READ_BYTES = 64 * 1_024;
const READ_MS = 1_000;
/** Interim answers (1xx) that are waited through. */
const INTERIM_ANSWERS = 8;

export interface ExchangeOptions {
  /** From the beginning to the end of the answer's headers, all tries together, in ms. */
  readonly timeoutMs: number;
  readonly settle: (answer: Reply) => void;
  /** Sends the request once more, on a new connection. */
  readonly again: () => void;
}

/** One POST and its answer. Settles once: with the status once its headers are in, with an error where they never come. */
export class Exchange implements CarriedHandler {
  readonly #startedMs = performance.now();
  readonly #settle: ExchangeOptions['settle'];
  readonly #again: ExchangeOptions['again'];
  #timer: NodeJS.Timeout;
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isReused = false;
  #hasAnswerBegun = false;
  #isSecondTry = false;
  #interimAnswers = 0;
  #status: number | null = null;
  #retryAfter: string | undefined;
  #durationMs = 0;
  #kept: Buffer[] = [];
  #readBytes = 0;
  #isSettled = false;

  constructor({ timeoutMs, settle, again }: ExchangeOptions) {
    this.#settle = settle;
    this.#again = again;
    this.#timer = setTimeout(() => this.#giveUp(), timeoutMs);
  }

  carriedBy(connection: Connection) {
    this.#connection = connection;
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(new TimeLimit());
    else this.#isReused = this.#connection?.noteRequest() ?? false;
  }

  /** The first byte of the answer is there. */
  onResponseStarted() {
    this.#hasAnswerBegun = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders) {
    if (status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > INTERIM_ANSWERS) controller.abort(new Error('too many interim answers'));
      return;
    }
    this.#status = status;
    this.#retryAfter = headers['retry-after'];
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
    if (this.#isStale(error)) {
      this.#isSecondTry = true;
      this.#again();
      return;
    }
    this.#finish(this.#status === null ? attemptError(error) : null);
  }

  /**
   * Whether the other side has closed a connection that had been idle just as we wrote: no word about this request then, so it goes out
   * once more (RFC 9112, section 9.3.1: where semantics are known to bear it; `webhook-id` makes them), on a new connection, once.
   */
  #isStale(error: Error): boolean {
    return this.#isReused && !this.#hasAnswerBegun && !this.#isSettled && !this.#isSecondTry && isConnectionLost(error);
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
      ...(this.#retryAfter !== undefined && { retry_after: this.#retryAfter }),
    });
  }
}
