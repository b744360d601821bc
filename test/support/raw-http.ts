import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it stood on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which a test writes bytes that no client would send. */
export async function openRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return new RawConnection(socket);
}

export class RawConnection {
  readonly socket: Socket;
  /** Resolves with all that came, once the other side has closed. */
  readonly closed: Promise<string>;
  #received = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (part: string) => {
      this.#received += part;
    });
    // Whoever is cut off may be told so by a reset.
    socket.on('error', () => {});
    this.closed = once(socket, 'close').then(() => this.#received);
  }

  get received(): string {
    return this.#received;
  }

  write(bytes: string | Uint8Array): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /** Sends it and resolves with the answers that came until the other side closed, which the last request must ask for. */
  async exchange(bytes: string | Uint8Array): Promise<RawAnswer[]> {
    this.write(bytes);
    return answersIn(await this.closed);
  }
}

/** @throws Error where the text is not answers one after the other, each as long as it says */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    const headers = Object.fromEntries(lines.map(headerIn));
    const bodyStart = headEnd + 4;
    const length = status === 100 || status === 204 ? 0 : Number(headers['content-length']);
    const body = text.slice(bodyStart, bodyStart + length);
    if (headEnd === -1 || !status || body.length !== length)
      throw new Error(`no answer begins at ${at} of ${JSON.stringify(text)}`);
    answers.push({ status, headers, body });
    at = bodyStart + length;
  }
  return answers;
}

function headerIn(line: string): [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
  return [name.toLowerCase(), value];
}
