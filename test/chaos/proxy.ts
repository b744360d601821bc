import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * `pass` forwards; `freeze` takes what both sides send and forwards nothing, and the connections stay open, as where a cable is
 * pulled; `deaf` holds back only what the server answers: what it was asked to do is done, and nobody learns of it.
 */
export type ProxyMode = 'pass' | 'freeze' | 'deaf';

export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** A TCP proxy before a server, which may not be there. */
export async function startProxy(targetPort: () => number) {
  const links = new Set<Link>();
  let mode: ProxyMode = 'pass';
  let watcher: { readonly bytes: number; readonly seen: () => void } | undefined;

  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: targetPort(), host: '127.0.0.1', noDelay: true });
    const link = new Link(client, target);
    links.add(link);
    client.on('data', (chunk) => {
      link.ask(chunk, mode);
      if (watcher && chunk.length >= watcher.bytes) watcher.seen();
    });
    target.on('data', (chunk) => link.answer(chunk, mode));
    for (const socket of [client, target]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        links.delete(link);
        link.close();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    set(newMode: ProxyMode): void {
      mode = newMode;
      if (mode !== 'freeze') for (const link of links) link.release(mode);
    },
    /** Ends every connection there is. */
    cut(): void {
      for (const link of links) link.close();
    },
    /** Calls `then` as soon as something of this size has been forwarded to the server. */
    onceAsked(bytes: number, then: () => void): void {
      watcher = {
        bytes,
        seen() {
          watcher = undefined;
          then();
        },
      };
    },
    async close(): Promise<void> {
      server.close();
      for (const link of links) link.close();
      await once(server, 'close');
    },
  };
}

/** One connection through the proxy, and what is held back of it. */
class Link {
  readonly #client: Socket;
  readonly #target: Socket;
  #asked: Buffer[] = [];
  #answered: Buffer[] = [];

  constructor(client: Socket, target: Socket) {
    this.#client = client;
    this.#target = target;
  }

  ask(chunk: Buffer, mode: ProxyMode): void {
    if (mode === 'freeze') this.#asked.push(chunk);
    else this.#target.write(chunk);
  }

  answer(chunk: Buffer, mode: ProxyMode): void {
    if (mode === 'pass') this.#client.write(chunk);
    else this.#answered.push(chunk);
  }

  release(mode: ProxyMode): void {
    for (const chunk of this.#asked.splice(0)) this.#target.write(chunk);
    if (mode === 'pass') for (const chunk of this.#answered.splice(0)) this.#client.write(chunk);
  }

  close(): void {
    this.#client.destroy();
    this.#target.destroy();
  }
}
