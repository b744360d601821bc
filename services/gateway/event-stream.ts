import { Readable } from 'node:stream';
import type { Context } from 'koa';

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const EVENT_STREAM_TYPE = 'text/event-stream';

/** One message of a stream. Without `data` nobody is told of it, but the client remembers its `id` all the same. */
export interface Message {
  /** What the client begins behind where it asks again (`Last-Event-ID`). */
  readonly id: string;
  readonly data?: unknown;
}

/** An answer that goes on for as long as its messages do. */
export class EventStream {
  readonly messages: AsyncIterable<readonly Message[]>;

  constructor(messages: AsyncIterable<readonly Message[]>) {
    this.messages = messages;
  }
}

/** Whether the client would rather have a stream than JSON. */
export function asksForStream(ctx: Context): boolean {
  return ctx.accepts('application/json', EVENT_STREAM_TYPE) === EVENT_STREAM_TYPE;
}

export function answerStream(ctx: Context, { messages }: EventStream): void {
  ctx.set('Content-Type', EVENT_STREAM_TYPE);
  // Proxies that gather answers before they pass them on: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
  ctx.set('X-Accel-Buffering', 'no');
  // Nothing is asked on it any more, and a server that stops need not wait for its client.
  ctx.set('Connection', 'close');
  ctx.body = Readable.from(written(messages));
}

async function* written(messages: AsyncIterable<readonly Message[]>): AsyncGenerator<string> {
  for await (const together of messages) yield together.map(writtenMessage).join('');
}

/** JSON has no line breaks, and neither has a cursor. */
function writtenMessage({ id, data }: Message): string {
  return data === undefined ? `id: ${id}\n\n` : `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
