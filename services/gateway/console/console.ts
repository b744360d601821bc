import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Context, Middleware, Next } from 'koa';
import { Problem } from '../problems.ts';
import { type Asset, type Console, ENCODINGS } from './assets.ts';

/** What the page may do: run and load what is served here, and ask the API. Nothing in it is code but its modules. */
const PAGE_HEADERS = {
  'Content-Security-Policy': [
    ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};

const KEPT = 'public, max-age=31536000, immutable';
/** Asked again each time; 304 where it is still the same. */
const ASKED_AGAIN = 'no-cache';

/** The console. It is packed when it is first asked for. */
export function createConsole(): { readonly page: Middleware; readonly file: Middleware } {
  let packed: Promise<Console> | undefined;
  const whenPacked = () => {
    packed ??= pack().catch((error) => {
      packed = undefined;
      throw error;
    });
    return packed;
  };
  return {
    /** For whoever would rather have a page than JSON. */
    async page(ctx: Context, next: Next) {
      ctx.vary('Accept');
      if (ctx.accepts('application/json', 'text/html') !== 'text/html') return next();
      const { page } = await whenPacked();
      ctx.set(PAGE_HEADERS);
      send(ctx, page, ASKED_AGAIN);
    },
    async file(ctx: Context) {
      const { version, assets } = await whenPacked();
      const asset = assets.get(ctx.params.file);
      if (!asset) throw new Problem('not-found', `There is nothing at ${ctx.path}.`);
      // While a deployment changes, the page may be of another version than what this gateway has.
      send(ctx, asset, ctx.params.version === version ? KEPT : ASKED_AGAIN);
    },
  };
}

async function pack(): Promise<Console> {
  const [message] = await once(new Worker(new URL('./pack-thread.ts', import.meta.url)), 'message');
  return message;
}

function send(ctx: Context, { type, etag, bodies }: Asset, kept: string): void {
  ctx.set({ 'Cache-Control': kept, ETag: etag });
  ctx.vary('Accept-Encoding');
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  // By our order: browsers name gzip first, and like it no better.
  const encoding = ENCODINGS.find((one) => ctx.acceptsEncodings(one) === one) ?? 'identity';
  if (encoding !== 'identity') ctx.set('Content-Encoding', encoding);
  ctx.type = type;
  const body = bodies[encoding];
  ctx.body = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
