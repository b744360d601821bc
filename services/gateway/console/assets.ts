import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const ROOM = join(import.meta.dirname, '../../console');
const PAGE = 'index.html';
const ENTRY = 'main.ts';

/** What is served of packages, by the name it is served under; nothing else of them is. */
const PACKAGED = {
  'preact.js': 'preact',
  'preact-hooks.js': 'preact/hooks',
  'htm.js': 'htm',
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
} as const;

/** What modules call a package, and what stands for that in the browser. */
const IMPORTED: Readonly<Record<string, string>> = {
  preact: './preact.js',
  'preact/hooks': './preact-hooks.js',
  htm: './htm.js',
  uplot: './uplot.js',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A file, compressed. */
export interface Packed {
  readonly type: string;
  readonly gzip: Uint8Array;
  readonly brotli: Uint8Array;
}

export interface PackedConsole {
  readonly page: Packed;
  /** Changes with whatever is served: what is under it never does. */
  readonly version: string;
  readonly files: ReadonlyMap<string, Packed>;
}

/** The console as browsers take it: types stripped, packages by the names they are served under, all of it compressed. */
export async function packConsole(): Promise<PackedConsole> {
  const texts = await allTexts();
  const page = texts.get(PAGE) as string;
  texts.delete(PAGE);
  const version = hashOf([page, ...[...texts].flat()].join('\n'));
  const preloads = [...modulesOf(ENTRY, texts)].map((name) => `<link rel="modulepreload" href="./${name}">`);
  const filled = page.replace('<!-- modules -->', preloads.join('')).replaceAll('"./', `"/console/${version}/`);
  const files = await Promise.all([...texts].map(async ([name, text]) => [name, await packed(name, text)] as const));
  return { page: await packed(PAGE, filled), version, files: new Map(files) };
}

async function allTexts(): Promise<Map<string, string>> {
  const own = (await readdir(ROOM)).filter((name) => extname(name) in TYPES).sort();
  const read = own.map(async (name) => [name, textOf(name, await readFile(join(ROOM, name), 'utf8'))] as const);
  const packaged = Object.entries(PACKAGED).map(async ([name, specifier]) => {
    const file = fileURLToPath(import.meta.resolve(specifier));
    return [name, textOf(name, await readFile(file, 'utf8'))] as const;
  });
  return new Map(await Promise.all([...read, ...packaged]));
}

function textOf(name: string, text: string): string {
  if (extname(name) === '.ts') return asImported(stripTypeScriptTypes(text));
  // The maps are not served.
  if (extname(name) === '.js') return asImported(text.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  return text;
}

const FROM = /\bfrom\s*(["'])([^"']+)\1/g;

function asImported(text: string): string {
  return text.replace(FROM, (all, quote, name) => (name in IMPORTED ? `from ${quote}${IMPORTED[name]}${quote}` : all));
}

/** The modules that one needs before it can begin, itself among them. */
function modulesOf(name: string, texts: ReadonlyMap<string, string>, found = new Set<string>()): ReadonlySet<string> {
  const text = texts.get(name);
  if (text === undefined || found.has(name)) return found;
  found.add(name);
  for (const [, , imported = ''] of text.matchAll(FROM)) modulesOf(imported.replace('./', ''), texts, found);
  return found;
}

const compressed = { brotli: promisify(brotliCompress), gzip: promisify(gzip) };
/** Of eleven: the last two take five times as long for a tenth less. */
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

async function packed(name: string, text: string): Promise<Packed> {
  const [gzip, brotli] = await Promise.all([compressed.gzip(text, { level: 9 }), compressed.brotli(text, QUALITY)]);
  return { type: TYPES[extname(name)] as string, gzip, brotli };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
