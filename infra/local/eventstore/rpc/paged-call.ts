import { ServerInterceptingCall, type ServerInterceptingCallInterface, type ServerInterceptor } from '@grpc/grpc-js';

/**
 * Lets a handler write a page of messages in one go: an array is sent as its messages, and counts as written when the last
 * one is. One by one, each message would wait for the socket to take the message before.
 */
class PagedCall extends ServerInterceptingCall {
  override sendMessage(message: unknown, callback: () => void): void {
    if (!Array.isArray(message)) {
      super.sendMessage(message, callback);
      return;
    }
    const last = message.length - 1;
    for (let index = 0; index < last; index++) super.sendMessage(message[index], ignore);
    super.sendMessage(message[last], callback);
  }
}

const ignore = (): void => {};

export const pagedCalls: ServerInterceptor = (_method, call: ServerInterceptingCallInterface) => new PagedCall(call);

interface PageSink {
  readonly cancelled: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  write(page: unknown, callback: () => void): boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

export function isOpen(call: PageSink): boolean {
  return !(call.cancelled || call.destroyed || call.writableEnded);
}

/** Resolves when the connection has taken the page, or when the call is over: a slow reader holds up its own call only. */
export function writePage(call: PageSink, page: readonly Buffer[]): Promise<void> {
  if (page.length === 0 || !isOpen(call)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      call.off('close', done);
      resolve();
    };
    call.once('close', done);
    call.write(page, done);
  });
}
