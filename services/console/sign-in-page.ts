import { useState } from 'preact/hooks';
import { Refused } from './api.ts';
import { html } from './html.ts';
import { Field, Heading } from './parts.ts';
import type { Place } from './place.ts';
import { roleOf, type Session, signIn, whyNotSignedIn } from './session.ts';

interface SignInProps {
  readonly place: Place;
  readonly enter: (session: Session) => void;
}

/** Asks for a key, and for what the API needs beside it: which channel, and which webhook it is of. */
export function SignInPage({ place, enter }: SignInProps) {
  const [key, setKey] = useState('');
  const [channel, setChannel] = useState('channel' in place ? place.channel : '');
  const [webhook, setWebhook] = useState('webhook' in place ? place.webhook : '');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const role = key.trim() === '' ? 'publisher' : roleOf(key.trim());

  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      enter(await signIn(key.trim(), channel.trim(), role === 'subscriber' ? webhook.trim() : ''));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setError(whyNotSignedIn(error));
      setBusy(false);
    }
  }
  const typed = (take: (text: string) => void) => (event: InputEvent) => take((event.target as HTMLInputElement).value);

  return html`<div class="sign-in">
    <${Heading} title="Sign in" />
    <p class="muted">See what became of each event, and deliver it again.</p>
    <form class="card" onSubmit=${submit} autocomplete="off">
      <${Field} label="Key" hint="publisher, subscriber or admin">
        <input type="password" name="key" required autocomplete="off" spellcheck=${false} placeholder="pk_… or sk_…"
          value=${key} onInput=${typed(setKey)} />
      <//>
      <${Field} label="Channel" hint=${role === 'admin' ? 'id or guid; empty: all of them' : 'id or guid'}>
        <input name="channel" required=${role !== 'admin'} autocomplete="off" spellcheck=${false}
          value=${channel} onInput=${typed(setChannel)} />
      <//>
      ${
        role === 'subscriber' &&
        html`<${Field} label="Webhook" hint="id">
          <input name="webhook" required inputmode="numeric" autocomplete="off" value=${webhook} onInput=${typed(setWebhook)} />
        <//>`
      }
      ${error && html`<p class="failure" role="alert">${error}</p>`}
      <button type="submit" class="primary" disabled=${isBusy}>${isBusy ? 'Signing in…' : 'Sign in'}</button>
    </form>
    <p class="muted small-print">The key stays in this tab until you close it or sign out. It is sent to this server alone, never in an address.</p>
  </div>`;
}
