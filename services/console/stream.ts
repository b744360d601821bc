import { useEffect, useRef, useState } from 'preact/hooks';
import { type Api, Refused } from './api.ts';

/** Whether what happens is told as it happens. */
export type Liveness = 'connecting' | 'live' | 'away' | 'over';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * Tells of each message of a stream from now on, for as long as the page is there; asks again where it breaks off, behind the last message.
 * @param begun called where it begins, also again: what was read before may be old by then
 */
export function useStream<T>(api: Api, path: string, take: (message: T) => void, begun: () => void): Liveness {
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  const told = useRef({ take, begun });
  told.current = { take, begun };
  useEffect(() => {
    const abort = new AbortController();
    const take = (message: unknown) => told.current.take(message as T);
    const become = (liveness: Liveness) => {
      setLiveness(liveness);
      if (liveness === 'live') told.current.begun();
    };
    void follow(api, path, { take, become, signal: abort.signal });
    return () => abort.abort();
  }, [api, path]);
  return liveness;
}

interface Following {
  readonly take: (message: unknown) => void;
  readonly become: (liveness: Liveness) => void;
  readonly signal: AbortSignal;
}

async function follow(api: Api, path: string, { take, become, signal }: Following): Promise<void> {
  let lastId: string | undefined;
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      const { body } = await api.stream(`${path}?after=now`, lastId, signal);
      become('live');
      waitMs = FIRST_WAIT_MS;
      for await (const { id, data } of messagesIn(body as ReadableStream<Uint8Array<ArrayBuffer>>)) {
        lastId = id ?? lastId;
        if (data !== undefined) take(JSON.parse(data));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isOfTheWay(error)) throw error;
      if (error instanceof Refused && error.isForGood) return become('over');
      // The place is not one of the log any more, which was restored from a backup.
      if (error instanceof Refused && error.status === 422) lastId = undefined;
    }
    become('away');
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  }
}

/** The server refused, or could not be reached, or the connection broke (fetch says that by a TypeError). */
function isOfTheWay(error: unknown): boolean {
  return error instanceof Refused || error instanceof TypeError;
}

interface Message {
  readonly id?: string | undefined;
  readonly data?: string | undefined;
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, as far as the server uses it. */
async function* messagesIn(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\n\n');
    text = blocks.pop() as string;
    for (const block of blocks) yield { id: fieldOf(block, 'id'), data: fieldOf(block, 'data') };
  }
}

function fieldOf(block: string, name: string): string | undefined {
  const line = block.split('\n').find((line) => line.startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}
