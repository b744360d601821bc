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
  readonly #headers: Readonly<Record<string, string>>;

  /** @param zipped what it is, by gzip */
  constructor(type: string, zipped: Buffer, headers: Readonly<Record<string, string>> = {}) {
    this.#type = type;
    this.#zipped = zipped;
    const tag = createHash('sha256').update(zipped).digest('base64url').slice(0, 22);
    // A weak one: it is of what is said, however that is encoded.
    this.#headers = { 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding', ETag: `W/"${tag}"`, ...headers };
  }

  static ofText(type: string, text: string, headers?: Readonly<Record<string, string>>): Asset {
    return new Asset(type, gzipSync(text), headers);
  }

  send(ctx: Context): void {
    ctx.set(this.#headers);
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    const isZipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    if (isZipped) ctx.set('Content-Encoding', 'gzip');
    ctx.set('Content-Type', this.#type);
    ctx.body = isZipped ? this.#zipped : gunzipSync(this.#zipped);
  }
}
