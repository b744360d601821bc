import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Asset } from '../asset.ts';
import { describeApi } from '../openapi/document.ts';
import type { Group } from '../route.ts';
import { errorsPage, referencePage } from './pages.ts';

export const JSON_TEXT = 'application/json';
export const HTML = 'text/html';
export const JAVASCRIPT = 'text/javascript';

/** Where the script of the reference page is. */
export const SCRIPT = '/docs/redoc.js';

/** Redoc as `npm run keep-redoc` has left it here: docs/decisions/0010. */
const REDOC = join(import.meta.dirname, 'redoc.standalone.js.gz');

const IN_UTF8 = '; charset=utf-8';

export type Reference = ReturnType<typeof createReference>;

/** The API, described to programs and to people. Each part is made when it is first asked for. */
export function createReference(groups: readonly Group[]) {
  return {
    description: once(() => Asset.ofText(JSON_TEXT + IN_UTF8, JSON.stringify(describeApi(groups)))),
    script: once(() => new Asset(JAVASCRIPT + IN_UTF8, readFileSync(REDOC))),
    page: once(() => page(referencePage(SCRIPT))),
    errors: once(() => page(errorsPage())),
  };
}

function page({ html, policy }: { readonly html: string; readonly policy: string }): Asset {
  return Asset.ofText(HTML + IN_UTF8, html, { 'Content-Security-Policy': policy });
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
