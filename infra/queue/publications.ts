import { createInbox, ErrorCode, headers, type Msg, type MsgHdrs, type NatsConnection, NatsError } from 'nats';

/** How long the broker may take to answer, in ms. */
const TIMEOUT_MS = 5_000;
/** How often it is looked for what has taken longer, as a part of that. */
const LOOK_PART = 0.1;

interface Waiting {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: Error) => void;
  /** By a monotonic clock. */
  giveUpMs: number;
}

/** https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-1.md */
interface Answer {
  readonly stream?: string;
  readonly seq?: number;
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
}

export type Publications = ReturnType<typeof createPublications>;

/**
 * Messages on their way into a stream. A request of the NATS client makes a timer and an error with its stack for each: 20 µs of CPU a message, where
 * this takes 6.
 */
export function createPublications(
  nc: Pick<NatsConnection, 'publish' | 'subscribe' | 'closed'>,
  timeoutMs: number = TIMEOUT_MS,
) {
  const inbox = createInbox();
  /** By the last token of the subject of the answer; what waits longest first. */
  const waiting = new Map<string, Waiting>();
  let sent = 0;

  nc.subscribe(`${inbox}.*`, {
    callback(error, message) {
      const token = message.subject.slice(inbox.length + 1);
      const publication = waiting.get(token);
      if (!publication) return;
      waiting.delete(token);
      settle(publication, error, message);
    },
  });

  function send(publication: Waiting) {
    const token = (sent++).toString(36);
    const { subject, payload, headers } = publication;
    try {
      nc.publish(subject, payload, { headers, reply: `${inbox}.${token}` });
    } catch (error) {
      return publication.reject(error as Error);
    }
    publication.giveUpMs = performance.now() + timeoutMs;
    waiting.set(token, publication);
  }

  function failAll(code: ErrorCode, which: (publication: Waiting) => boolean) {
    for (const [token, publication] of waiting) {
      if (!which(publication)) return;
      waiting.delete(token);
      publication.reject(NatsError.errorForCode(code));
    }
  }

  const looking = setInterval(() => {
    const nowMs = performance.now();
    failAll(ErrorCode.Timeout, ({ giveUpMs }) => giveUpMs <= nowMs);
  }, timeoutMs * LOOK_PART);
  looking.unref();
  void nc.closed().then(() => {
    clearInterval(looking);
    failAll(ErrorCode.ConnectionClosed, () => true);
  });

  return {
    /**
     * Resolves with the sequence of the message once the stream has it, whether by this message or by one before it of the same id.
     * @throws NatsError where the broker refuses it, nobody answers for the stream, no answer comes in time, or the connection is closed
     */
    publish: (subject: string, payload: Uint8Array, id: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const named = headers();
        named.set('Nats-Msg-Id', id);
        send({ subject, payload, headers: named, resolve, reject, giveUpMs: 0 });
      }),
    /** Sends all that is not answered once more: with its connection the client has lost what it had sent, or was about to send. */
    repeat(): void {
      const unanswered = [...waiting.values()];
      waiting.clear();
      for (const publication of unanswered) send(publication);
    },
  };
}

function settle({ resolve, reject }: Waiting, error: NatsError | null, message: Msg) {
  if (error) return reject(error);
  if (message.headers?.code === 503) return reject(NatsError.errorForCode(ErrorCode.NoResponders));
  const answer = answerOf(message);
  if (answer.error) {
    const refusal = new NatsError(answer.error.description, `${answer.error.code}`);
    refusal.api_error = answer.error;
    return reject(refusal);
  }
  if (answer.seq === undefined) return reject(NatsError.errorForCode(ErrorCode.JetStreamInvalidAck));
  resolve(answer.seq);
}

function answerOf(message: Msg): Answer {
  try {
    return message.json<Answer>();
  } catch {
    // Somebody else's: taken for no answer of a stream.
    return {};
  }
}
