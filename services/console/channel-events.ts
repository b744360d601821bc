import { useState } from 'preact/hooks';
import type { Event, ListedEvent } from './answers.ts';
import type { Part } from './api.ts';
import { html } from './html.ts';
import { useLoaded, useLooks } from './loaded.ts';
import { Badge, Card, Empty, Shown, type Tone, When } from './parts.ts';
import { path, to } from './place.ts';
import { useSignedIn } from './session.ts';
import { type Liveness, useStream } from './stream.ts';
import { counted } from './words.ts';

const SHOWN = 25;
/** How often it is looked what became of them, in ms, while something waits. */
const LOOK_MS = 10_000;

interface ChannelEventsProps {
  readonly channel: string;
  /** Called where something may have happened. */
  readonly looked: () => void;
}

/** The newest events of a channel, each as it comes. */
export function ChannelEvents({ channel, looked }: ChannelEventsProps) {
  const { api } = useSignedIn();
  const load = () => api.list<ListedEvent>(path.events(channel), { limit: SHOWN, include: 'deliveries' });
  const loaded = useLoaded(load, [api, channel], (part) => (part?.items.some(isWaiting) ? LOOK_MS : 0));
  const [fresh, setFresh] = useState<readonly Event[]>([]);
  const lookSoon = useLooks(() => {
    void loaded.again();
    looked();
  });
  const take = (event: Event) => {
    setFresh((before) => [event, ...before].slice(0, SHOWN));
    lookSoon();
  };
  const liveness = useStream(api, `${path.channel(channel)}/feed`, take, lookSoon);
  const older = html`<a href=${to.search(channel)}>Search all</a>`;
  return html`<${Card} title="Events" aside=${html`<span class="aside"><${Live} liveness=${liveness} />${older}</span>`}>
    <${Shown} loaded=${loaded} rows=${6}>${({ items }: Part<ListedEvent>) => {
      const shown = together(fresh, items);
      if (shown.length === 0)
        return html`<${Empty}><p>No events yet. The next one appears here as it is published.</p><//>`;
      return html`<${EventRows} channel=${channel} events=${shown} fresh=${new Set(fresh.map(({ id }) => id))} />`;
    }}<//>
  <//>`;
}

function isWaiting({ deliveries }: ListedEvent): boolean {
  return deliveries !== undefined && deliveries.pending > 0;
}

/** What has just come, and what the list has, each once. */
function together(fresh: readonly ListedEvent[], listed: readonly ListedEvent[]): readonly ListedEvent[] {
  const known = new Set(listed.map(({ id }) => id));
  const unlisted = fresh.filter(({ id }) => !known.has(id));
  return [...unlisted, ...listed].sort((a, b) => b.id - a.id).slice(0, SHOWN);
}

const LIVENESS: Readonly<Record<Liveness, { text: string; kind: string }>> = {
  connecting: { text: 'connecting…', kind: 'quiet' },
  live: { text: 'live', kind: 'good' },
  away: { text: 'reconnecting…', kind: 'warn' },
  over: { text: 'ended', kind: 'bad' },
};

function Live({ liveness }: { readonly liveness: Liveness }) {
  const { text, kind } = LIVENESS[liveness];
  return html`<span class=${`live ${kind}`} role="status"><span class="dot" aria-hidden="true"></span>${text}</span>`;
}

interface EventRowsProps {
  readonly channel: string;
  readonly events: readonly ListedEvent[];
  /** Ids of those that have come while one looks. */
  readonly fresh?: ReadonlySet<number>;
}

export function EventRows({ channel, events, fresh }: EventRowsProps) {
  return html`<ul class="rows events">${events.map(
    (event) => html`<li key=${event.id} class=${fresh?.has(event.id) ? 'fresh' : ''}>
      <a class="row" href=${to.event(channel, event.id)}>
        <${Became} event=${event} />
        <span class="name">${event.event_name}${event.ext_ref_code && html` <small>${event.ext_ref_code}</small>`}</span>
        <${When} at=${event.published_at} />
      </a>
    </li>`,
  )}</ul>`;
}

/** What became of an event at all of its webhooks together: what is worst counts. */
function Became({ event: { deliveries } }: { readonly event: ListedEvent }) {
  const { tone, text } = deliveries ? became(deliveries) : { tone: 'busy' as const, text: 'published' };
  return html`<${Badge} tone=${tone}>${text}<//>`;
}

export function became(counts: NonNullable<ListedEvent['deliveries']>): { tone: Tone; text: string } {
  const { pending, delivered, failed, cancelled, attempted } = counts;
  const all = pending + delivered + failed + cancelled;
  const of = (count: number, word: string) => (all === 1 ? word : `${count} of ${all} ${word}`);
  if (all === 0) return { tone: 'quiet', text: 'no webhook' };
  if (failed > 0) return { tone: 'bad', text: of(failed, 'failed') };
  if (attempted > 0) return { tone: 'warn', text: of(attempted, 'retrying') };
  if (pending > 0) return { tone: 'busy', text: of(pending, 'pending') };
  if (cancelled === all) return { tone: 'quiet', text: 'cancelled' };
  return { tone: 'good', text: all === 1 ? 'delivered' : `delivered to ${counted(delivered, 'webhook')}` };
}
