import { useState } from 'preact/hooks';
import type { Delivery, Event } from './answers.ts';
import type { Part } from './api.ts';
import { html } from './html.ts';
import { useLoaded, useLooks, useLooksOf } from './loaded.ts';
import { Badge, Card, Choice, Countdown, Empty, Shown, type Tone, When } from './parts.ts';
import { path, to } from './place.ts';
import { useSignedIn } from './session.ts';
import { useStream } from './stream.ts';
import { ERRORS } from './words.ts';

const SHOWN = 25;
/** Of each status, where several are asked for: such a list has no next page. */
const SHOWN_OF_EACH = 100;
const LOOK_MS = 10_000;

const CHOICES = { all: 'All', undelivered: 'Not delivered', delivered: 'Delivered' } as const;
const STATUSES: Readonly<Record<keyof typeof CHOICES, readonly (string | undefined)[]>> = {
  all: [undefined],
  undelivered: ['failed', 'pending'],
  delivered: ['delivered'],
};

interface WebhookDeliveriesProps {
  readonly channel: string;
  readonly webhook: string;
  /** Changes where somebody has done something about the webhook. */
  readonly acts: number;
  /** Called where something may have happened. */
  readonly looked: () => void;
}

/** What a webhook was sent, newest first, those that failed alone where that is asked for. */
export function WebhookDeliveries({ channel, webhook, acts, looked }: WebhookDeliveriesProps) {
  const { api } = useSignedIn();
  const [chosen, choose] = useState<keyof typeof CHOICES>('all');
  const [name, setName] = useState('');
  const [more, setMore] = useState<Part<Delivery> | undefined>();
  const of = `${path.webhook(channel, webhook)}/deliveries`;
  const load = async (): Promise<Part<Delivery>> => {
    const limit = STATUSES[chosen].length > 1 ? SHOWN_OF_EACH : SHOWN;
    const asked = STATUSES[chosen].map((status) => api.list<Delivery>(of, { limit, status, event_name: name }));
    const parts = await Promise.all(asked);
    const items = parts.flatMap((part) => part.items).sort((a, b) => b.event_id - a.event_id);
    return { items, next: parts.length === 1 ? parts[0]?.next : undefined };
  };
  const loaded = useLoaded(load, [api, of, chosen, name], LOOK_MS);
  const lookSoon = useLooks(() => {
    void loaded.again();
    looked();
  });
  useStream<Event>(api, `${path.webhook(channel, webhook)}/feed`, lookSoon, lookSoon);
  useLooksOf(acts, lookSoon);
  const next = (more ?? loaded.data)?.next;
  const loadMore = async (from: string) => {
    const part = await api.list<Delivery>(from);
    setMore({ ...part, items: [...(more?.items ?? []), ...part.items] });
  };
  const anew = (change: () => void) => {
    setMore(undefined);
    change();
  };

  return html`<${Card} title="Deliveries" aside=${html`<${Choice} label="Which deliveries" options=${CHOICES} chosen=${chosen}
      choose=${(value: keyof typeof CHOICES) => anew(() => choose(value))} />`}>
    <input type="search" class="filter" aria-label="Only events of this name" placeholder="Only events of this name" spellcheck=${false}
      value=${name} onChange=${(event: Event & { target: HTMLInputElement }) => anew(() => setName(event.target.value.trim()))} />
    <${Shown} loaded=${loaded} rows=${5}>${({ items }: Part<Delivery>) => html`
      ${items.length === 0 && html`<${Empty}><p>${chosen === 'undelivered' ? 'Nothing has failed, and nothing waits.' : 'Nothing was sent to it yet. A ping would be the first.'}</p><//>`}
      <ul class="rows events">${[...items, ...(more?.items ?? [])].map((delivery) => html`<${DeliveryRow} key=${delivery.event_id} channel=${channel} delivery=${delivery} />`)}</ul>
      ${next && html`<button type="button" onClick=${() => loadMore(next)}>More</button>`}`}<//>
  <//>`;
}

function DeliveryRow({ channel, delivery }: { readonly channel: string; readonly delivery: Delivery }) {
  const { event_id, event_name, ext_ref_code, published_at, status, next_attempt_at, last_attempt } = delivery;
  const isRetrying = status === 'pending' && last_attempt !== null;
  return html`<li><a class="row" href=${to.event(channel, event_id)}>
    <${Badge} tone=${isRetrying ? 'warn' : TONES[status]}>${isRetrying ? 'retrying' : status}<//>
    <span class="name">${event_name}${ext_ref_code && html` <small>${ext_ref_code}</small>`}
      ${last_attempt && status !== 'delivered' && html`<small class="why">${whyNot(last_attempt)}</small>`}</span>
    ${isRetrying && next_attempt_at ? html`<span class="muted">again <${Countdown} at=${next_attempt_at} /></span>` : html`<${When} at=${published_at} />`}
  </a></li>`;
}

const TONES: Readonly<Record<Delivery['status'], Tone>> = {
  pending: 'busy',
  delivered: 'good',
  failed: 'bad',
  cancelled: 'quiet',
};

function whyNot({ status_code, error }: NonNullable<Delivery['last_attempt']>): string {
  return status_code === null ? (ERRORS[error ?? ''] ?? `${error}`) : `answered ${status_code}`;
}
