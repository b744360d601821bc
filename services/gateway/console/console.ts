import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Context, Middleware, Next } from 'koa';
import { Asset } from '../asset.ts';
import { Problem } from '../problems.ts';
import type { Packed, PackedConsole } from './assets.ts';

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

const KEPT = { 'Cache-Control': 'public, max-age=31536000, immutable' };

interface Console {
  readonly page: Asset;
  readonly version: string;
  readonly files: ReadonlyMap<string, Asset>;
}

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
      page.send(ctx, PAGE_HEADERS);
    },
    async file(ctx: Context) {
      const { version, files } = await whenPacked();
      const asset = files.get(ctx.params.file);
      if (!asset) throw new Problem('not-found', `There is nothing at ${ctx.path}.`);
      // While a deployment changes, the page may be of another version than what this gateway has.
      asset.send(ctx, ctx.params.version === version ? KEPT : {});
    },
  };
}

async function pack(): Promise<Console> {
  const [message] = await once(new Worker(new URL('./pack-thread.ts', import.meta.url)), 'message');
  const { page, version, files } = message as PackedConsole;
  return { page: asset(page), version, files: new Map([...files].map(([name, file]) => [name, asset(file)])) };
}

function asset({ type, gzip, brotli }: Packed): Asset {
  return new Asset(type, Buffer.from(gzip), {}, Buffer.from(brotli));
}
