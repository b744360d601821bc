import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export type LeanClient = ReturnType<typeof createLeanClient>;

interface Asked {
  readonly bytes: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * HTTP/1.1 over a fixed number of keep-alive connections, one request at a time on each, for answers with a Content-Length: only what the benches need, since
 * what the load costs is taken from what is measured.
 */
export function createLeanClient(url: string, connections: number) {
  const { hostname, port, host } = new URL(url);
  const idle: Connection[] = Array.from({ length: connections }, () => createConnection(hostname, Number(port), next));
  const all = [...idle];
  const queue: Asked[] = [];
  let head = 0;

  /** A connection has become free. */
  function next(connection: Connection) {
    const asked = queue[head];
    if (!asked) {
      idle.push(connection);
      return;
    }
    head += 1;
    if (head > 1_024) head -= queue.splice(0, head).length;
    connection.send(asked);
  }

  return {
    host,
    /** @param bytes a whole request @throws Error where the connection fails before its answer is there */
    exchange(bytes: string): Promise<Answer> {
      return new Promise((resolve, reject) => {
        const asked = { bytes, resolve, reject };
        const connection = idle.pop();
        if (connection) connection.send(asked);
        else queue.push(asked);
      });
    },
    close(): void {
      for (const connection of all) connection.close();
    },
  };
}

interface Connection {
  send(asked: Asked): void;
  close(): void;
}

/** Connects when it is first needed, and again where the other side has closed. */
function createConnection(hostname: string, port: number, free: (connection: Connection) => void): Connection {
  let socket: Socket | undefined;
  let asked: Asked | undefined;
  let received = '';

  function open(): Socket {
    const opened = connect({ host: hostname, port, noDelay: true });
    opened.setEncoding('latin1');
    opened.on('data', (chunk: string) => take(chunk));
    opened.on('error', (error) => fail(opened, error));
    opened.on('close', () => fail(opened, new Error('the connection was closed')));
    return opened;
  }

  function take(chunk: string) {
    received = received === '' ? chunk : received + chunk;
    const answer = whole(received);
    if (!answer) return;
    received = '';
    const answered = asked;
    asked = undefined;
    free(connection);
    answered?.resolve(answer);
  }

  function fail(failedSocket: Socket, error: Error) {
    if (socket !== failedSocket) return;
    socket = undefined;
    received = '';
    const failed = asked;
    if (!failed) return;
    asked = undefined;
    free(connection);
    failed.reject(error);
  }

  const connection: Connection = {
    send(next) {
      asked = next;
      socket ??= open();
      socket.write(next.bytes);
    },
    close: () => socket?.destroy(),
  };
  return connection;
}

/** The answer, once all of it is there: its body as UTF-8 was read byte by byte. */
function whole(received: string): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const status = Number(received.slice(9, 12));
  const length = lengthOf(received, end);
  const body = end + 4;
  if (received.length < body + length) return undefined;
  return { status, text: received.slice(body, body + length) };
}

function lengthOf(received: string, end: number): number {
  const at = received.search(/content-length: /i);
  if (at === -1 || at > end) return 0;
  return Number(received.slice(at + 16, received.indexOf('\r', at)));
}

/** A whole request with a JSON body. */
export function jsonRequest(host: string, path: string, json: string, key?: string): string {
  const authorization = key === undefined ? '' : `authorization: Bearer ${key}\r\n`;
  const length = Buffer.byteLength(json);
  return `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${authorization}content-length: ${length}\r\n\r\n${json}`;
}
