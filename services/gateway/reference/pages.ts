import { createHash } from 'node:crypto';
import { PROBLEMS } from '../problems.ts';

/** A page and what it may do: nothing but what is named. */
interface Page {
  readonly html: string;
  readonly policy: string;
}

const NOTHING = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];

/** Of the one style that redoc 2.5.4 brings as a text, of its scroll bars: all others it adds rule by rule to an element that is empty. */
const REDOC_STYLE = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='";

/** The page on which a script from here shows the description from here. It searches in a worker that is made of a blob. */
export function referencePage(script: string): Page {
  const style = 'body { margin: 0; }';
  const more = ["script-src 'self'", "connect-src 'self'", "img-src 'self' data:", 'worker-src blob:'];
  return {
    html: `${headed('API reference', style)}<redoc spec-url="/openapi.json" hide-download-button="false" json-sample-expand-level="3"></redoc>
<noscript>This page is made by a script. <a href="/openapi.json">The description itself</a>, and <a href="/docs/errors">all errors</a>.</noscript>
<script src="${script}"></script>
</body>
</html>
`,
    policy: [...NOTHING, ...more, `style-src ${hashOf(style)} ${hashOf('')} ${REDOC_STYLE}`].join('; '),
  };
}

const ERRORS_STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
dt { margin-top: 1.5rem; font-weight: 600; }
dt:target { outline: 2px solid; outline-offset: 0.3rem; }
dd { margin: 0.25rem 0 0; }
`;

/** What each problem means, each where its `type` leads. */
export function errorsPage(): Page {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, title, meaning }]) =>
      `<dt id="${code}"><code>${code}</code> · ${status} · ${inHtml(title)}</dt>\n<dd>${inHtml(meaning)}</dd>`,
  );
  return {
    html: `${headed('errors', ERRORS_STYLE)}<main>
<h1>Errors</h1>
<p>Whatever goes wrong, the answer is a problem (RFC 9457, <code>application/problem+json</code>). Its <code>type</code> leads here, its <code>detail</code> says what happened this time, and where fields are at fault <code>errors</code> lists all of them. <a href="/docs">The API</a>.</p>
<dl>
${rows.join('\n')}
</dl>
</main>
</body>
</html>
`,
    policy: [...NOTHING, `style-src ${hashOf(ERRORS_STYLE)}`, 'img-src data:'].join('; '),
  };
}

/** How a page begins. */
function headed(title: string, style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>webhooks: ${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
`;
}

/** https://www.w3.org/TR/CSP3/#framework-directive-source-list */
function hashOf(style: string): string {
  return `'sha256-${createHash('sha256').update(style).digest('base64')}'`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text with `code` in it. */
function inHtml(text: string): string {
  return text
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] as string)
    .replaceAll(/`([^`]*)`/g, '<code>$1</code>');
}
