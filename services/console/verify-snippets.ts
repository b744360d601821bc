import { useState } from 'preact/hooks';
import { html } from './html.ts';
import { Card, Choice, Copy } from './parts.ts';
import { SNIPPETS } from './snippets.ts';

const LANGUAGES = Object.fromEntries(Object.keys(SNIPPETS).map((name) => [name, name]));

export function VerifySnippets() {
  const [language, choose] = useState('TypeScript');
  const text = SNIPPETS[language] as string;
  return html`<${Card} title="Verify deliveries" aside=${html`<${Choice} label="Language" options=${LANGUAGES} chosen=${language} choose=${choose} />`}>
    <p class="muted">Whoever knows the URL can POST to it. The signing secret tells which requests come from here: hold it against the body as it came, byte by byte.</p>
    <pre tabindex="0" aria-label=${`Verification in ${language}`}>${text}</pre>
    <p class="actions"><${Copy} text=${text} what="Snippet" />
      <span class="muted">Libraries for these and more: <a href="https://www.standardwebhooks.com/" rel="noreferrer noopener" target="_blank">Standard Webhooks</a></span></p>
  <//>`;
}
