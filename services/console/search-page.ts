import { useState } from 'preact/hooks';
import type { ListedEvent, Event as Published } from './answers.ts';
import { type Api, type Part, Refused } from './api.ts';
import { EventRows } from './channel-events.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Card, Crumbs, Empty, Field, Heading, Shown } from './parts.ts';
import { path, to } from './place.ts';
import { useSignedIn } from './session.ts';

const STATUSES = {
  '': 'any',
  pending: 'pending',
  delivered: 'delivered',
  failed: 'failed',
  cancelled: 'cancelled',
} as const;

interface SearchPageProps {
  readonly channel: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Looks for events by what somebody at the telephone knows of them. */
export function SearchPage({ channel, query }: SearchPageProps) {
  const { api } = useSignedIn();
  const found = useLoaded(() => find(api, channel, query), [api, channel, JSON.stringify(query)]);
  const [more, setMore] = useState<Part<ListedEvent> | undefined>();
  const next = (more ?? found.data)?.next;
  const loadMore = async (from: string) => {
    const part = await api.list<ListedEvent>(from);
    setMore({ ...part, items: [...(more?.items ?? []), ...part.items] });
  };
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<string, string>;
    location.hash = to.search(
      channel,
      Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text.trim()])),
    );
  };
  return html`<${Crumbs}><a href=${to.channel(channel)}>Channel</a><//>
    <${Heading} title="Search events" />
    <form class="card filters" onSubmit=${search}>
      <${Field} label="Id, reference or name"><input name="q" type="search" defaultValue=${query.q ?? ''} spellcheck=${false} /><//>
      <${Field} label="Status"><select name="status">${Object.entries(STATUSES).map(
        ([value, text]) =>
          html`<option key=${value} value=${value} selected=${value === (query.status ?? '')}>${text}</option>`,
      )}</select><//>
      <${Field} label="Published since"><input name="since" type="datetime-local" step="1" defaultValue=${query.since ?? ''} /><//>
      <${Field} label="and before"><input name="until" type="datetime-local" step="1" defaultValue=${query.until ?? ''} /><//>
      <button type="submit" class="primary">Search</button>
    </form>
    <${Card} title="Events">
      <${Shown} loaded=${found} rows=${6}>${({ items }: Part<ListedEvent>) => html`
        ${items.length === 0 && html`<${Empty}><p>Nothing was found. Ids, references and names are looked for as a whole.</p><//>`}
        <${EventRows} channel=${channel} events=${[...items, ...(more?.items ?? [])]} />
        ${next && html`<button type="button" onClick=${() => loadMore(next)}>More</button>`}`}<//>
    <//>`;
}

/** The API looks for an id, a reference and a name each by itself; a text may be any of them. */
async function find(api: Api, channel: string, { q = '', status, since, until }: Readonly<Record<string, string>>) {
  const filters = { status, since: asTime(since), until: asTime(until), include: 'deliveries', limit: 50 };
  const events = path.events(channel);
  if (q === '') return api.list<ListedEvent>(events, filters);
  const asked = [api.list<ListedEvent>(events, { ...filters, ext_ref_code: q })];
  if (/^[A-Za-z0-9._:-]{1,255}$/.test(q)) asked.push(api.list<ListedEvent>(events, { ...filters, event_name: q }));
  if (/^[1-9][0-9]{0,15}$/.test(q)) asked.push(byId(api, channel, q));
  const parts = await Promise.all(asked);
  const items = new Map(parts.flatMap((part) => part.items).map((event) => [event.id, event]));
  const next = parts.map((part) => part.next).filter((path) => path !== undefined);
  return { items: [...items.values()].sort((a, b) => b.id - a.id), next: next.length === 1 ? next[0] : undefined };
}

async function byId(api: Api, channel: string, id: string): Promise<Part<Published>> {
  try {
    return { items: [await api.get<Published>(path.event(channel, id))], next: undefined };
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return { items: [], next: undefined };
    throw error;
  }
}

function asTime(local: string | undefined): string | undefined {
  return local ? new Date(local).toISOString() : undefined;
}
