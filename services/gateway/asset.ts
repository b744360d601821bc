import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Context } from 'koa';

/**
 * An answer that is the same for everybody until the next start: sent compressed where the client takes that, and only named where the client
 * has it already.
 */
export class Asset {
  readonly #type: string;
  readonly #zipped: Buffer;
  readonly #brotli: Buffer | undefined;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param zipped what it is, by gzip @param brotli the same by brotli, where it is to be sent so */
  constructor(type: string, zipped: Buffer, headers: Readonly<Record<string, string>> = {}, brotli?: Buffer) {
    this.#type = type;
    this.#zipped = zipped;
    this.#brotli = brotli;
    const tag = createHash('sha256').update(zipped).digest('base64url').slice(0, 22);
    // A weak one: it is of what is said, however that is encoded.
    this.#headers = { 'Cache-Control': 'no-cache', ETag: `W/"${tag}"`, ...headers };
  }

  static ofText(type: string, text: string, headers?: Readonly<Record<string, string>>): Asset {
    return new Asset(type, gzipSync(text), headers);
  }

  /** @param headers of this answer alone */
  send(ctx: Context, headers: Readonly<Record<string, string>> = {}): void {
    ctx.set({ ...this.#headers, ...headers });
    ctx.vary('Accept-Encoding');
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    const takes = (encoding: string) => ctx.acceptsEncodings(encoding) === encoding;
    ctx.set('Content-Type', this.#type);
    // By our order: browsers name gzip first, and like it no better.
    if (this.#brotli && takes('br')) {
      ctx.set('Content-Encoding', 'br');
      ctx.body = this.#brotli;
    } else if (takes('gzip')) {
      ctx.set('Content-Encoding', 'gzip');
      ctx.body = this.#zipped;
    } else ctx.body = gunzipSync(this.#zipped);
  }
}
