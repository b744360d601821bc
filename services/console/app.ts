import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { apiWith } from './api.ts';
import { ChannelPage } from './channel-page.ts';
import { ChannelsPage } from './channels-page.ts';
import { EventPage } from './event-page.ts';
import { html } from './html.ts';
import { Empty, Heading } from './parts.ts';
import { type Place, placeOf, to } from './place.ts';
import { SearchPage } from './search-page.ts';
import { forget, type Session, SignedInContext, store, storedSession } from './session.ts';
import { SignInPage } from './sign-in-page.ts';
import { WebhookPage } from './webhook-page.ts';

/** How long what was said stays, in ms. */
const SAID_MS = 5_000;

export function App() {
  const place = usePlace();
  const [session, setSession] = useState(storedSession);
  const { said, say } = useSaying();
  const api = useMemo(() => apiWith(session?.key ?? ''), [session]);
  const keep = (kept: Session) => {
    store(kept);
    setSession(kept);
  };
  const signedIn = useMemo(
    () => session && { session, api, say, takeKey: (key: string) => keep({ ...session, key }) },
    [session, api, say],
  );
  const enter = (entered: Session) => {
    keep(entered);
    if (place.page === 'home') location.hash = homeOf(entered);
  };
  const leave = () => {
    forget();
    setSession(undefined);
    location.hash = '#/';
  };
  const page = signedIn
    ? html`<${Page} place=${place} session=${signedIn.session} key=${location.hash} />`
    : html`<${SignInPage} place=${place} enter=${enter} />`;
  return html`<${SignedInContext.Provider} value=${signedIn}>
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Top} session=${session} place=${place} leave=${leave} />
    <main id="main" tabindex="-1">${page}</main>
    <div class="said" role="status">${said && html`<p class=${said.kind}>${said.text}</p>`}</div>
  <//>`;
}

function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const moved = () => setHash(location.hash);
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return placeOf(hash);
}

/** The address behind `#` is where one is: the link must not change it. */
function skip(event: Event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function useSaying() {
  const [said, setSaid] = useState<{ text: string; kind: string } | undefined>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const say = useCallback((text: string, kind: 'good' | 'bad' = 'good') => {
    clearTimeout(timer.current);
    setSaid({ text, kind });
    timer.current = setTimeout(() => setSaid(undefined), SAID_MS);
  }, []);
  return { said, say };
}

function homeOf({ channel, webhook }: Session): string {
  if (channel === undefined) return to.channels;
  return webhook === undefined ? to.channel(channel) : to.webhook(channel, webhook);
}

interface TopProps {
  readonly session: Session | undefined;
  readonly place: Place;
  readonly leave: () => void;
}

function Top({ session, place, leave }: TopProps) {
  const channel = 'channel' in place ? place.channel : session?.channel;
  return html`<header class="top">
    <a class="brand" href=${session ? homeOf(session) : '#/'}><span class="logo" aria-hidden="true"></span>webhooks</a>
    ${session && channel && session.role !== 'subscriber' && html`<${SearchBox} channel=${channel} />`}
    ${
      session &&
      html`<div class="who"><span class="role">${session.role}</span>
        <button type="button" class="small" onClick=${leave}>Sign out</button></div>`
    }
  </header>`;
}

function SearchBox({ channel }: { readonly channel: string }) {
  const [text, setText] = useState('');
  const search = (event: Event) => {
    event.preventDefault();
    location.hash = to.search(channel, { q: text.trim() });
  };
  return html`<form class="search" role="search" onSubmit=${search}>
    <input type="search" aria-label="Search events by id, reference or name" placeholder="Event id, reference or name"
      value=${text} onInput=${(event: InputEvent) => setText((event.target as HTMLInputElement).value)} />
  </form>`;
}

function Page({ place, session }: { readonly place: Place; readonly session: Session }) {
  switch (place.page) {
    case 'home':
      return html`<${Gone} to=${homeOf(session)} />`;
    case 'channels':
      return html`<${ChannelsPage} />`;
    case 'channel':
      if (session.webhook !== undefined) return html`<${Gone} to=${homeOf(session)} />`;
      return html`<${ChannelPage} channel=${place.channel} />`;
    case 'event':
      return html`<${EventPage} channel=${place.channel} event=${place.event} />`;
    case 'webhook':
      return html`<${WebhookPage} channel=${place.channel} webhook=${place.webhook} />`;
    case 'search':
      return html`<${SearchPage} channel=${place.channel} query=${place.query} />`;
    case 'nowhere':
      return html`<${Heading} title="There is nothing here" />
        <${Empty}><p>The address leads nowhere. <a href=${homeOf(session)}>Begin at the beginning</a>.</p><//>`;
  }
}

/** Goes on to another place. */
function Gone({ to }: { readonly to: string }) {
  location.replace(to);
  return null;
}
