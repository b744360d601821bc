import { useState } from 'preact/hooks';
import type { Stats, Webhook } from './answers.ts';
import type { Part } from './api.ts';
import { html } from './html.ts';
import { useLoaded, useLooksOf } from './loaded.ts';
import { Badge, Card, Empty, Shown } from './parts.ts';
import { path, to } from './place.ts';
import { useSignedIn } from './session.ts';
import { Sparkline } from './sparkline.ts';
import { type WebhookFields, WebhookForm } from './webhook-form.ts';
import { age, counted, percent, shortUrl } from './words.ts';

const SHOWN = 25;
/** How often their health is looked at, in ms. */
const LOOK_MS = 15_000;

interface ChannelWebhooksProps {
  readonly channel: string;
  /** Changes where something may have happened. */
  readonly looks: number;
}

/** The webhooks of a channel, each with how it fares. */
export function ChannelWebhooks({ channel, looks }: ChannelWebhooksProps) {
  const { api } = useSignedIn();
  const [limit, setLimit] = useState(SHOWN);
  const loaded = useLoaded(() => api.list<Webhook>(path.webhooks(channel), { limit }), [api, channel, limit], LOOK_MS);
  useLooksOf(looks, loaded.again);
  return html`<${Card} title="Webhooks">
    <${Shown} loaded=${loaded}>${({ items, next }: Part<Webhook>) => html`
      ${items.length === 0 && html`<${Empty}><p>No webhooks yet: add the first URL that events are POSTed to.</p><//>`}
      <ul class="rows webhooks">${items.map((webhook) => html`<${WebhookRow} key=${webhook.id} channel=${channel} webhook=${webhook} />`)}</ul>
      ${next && limit < 250 && html`<button type="button" onClick=${() => setLimit(250)}>More</button>`}
      <${NewWebhook} channel=${channel} made=${loaded.again} isOpen=${items.length === 0} />`}<//>
  <//>`;
}

function WebhookRow({ channel, webhook }: { readonly channel: string; readonly webhook: Webhook }) {
  const { api } = useSignedIn();
  const of = `${path.webhook(channel, webhook.id)}/stats`;
  const { data } = useLoaded(() => api.get<Stats>(of, { series: 'day' }), [api, of], LOOK_MS);
  return html`<li><a class="row" href=${to.webhook(channel, webhook.id)}>
    <span class="name">${webhook.name ?? shortUrl(webhook.webhook_url)}
      ${webhook.name && html`<small>${shortUrl(webhook.webhook_url)}</small>`}</span>
    <span class="fares"><${Health} webhook=${webhook} attempts=${data?.week.attempts} />
      ${data?.series && html`<${Sparkline} series=${data.series} label=${inWords(data)} />`}</span>
  </a></li>`;
}

function inWords({ day }: Stats): string {
  if (day.attempts === 0) return 'Last 24 hours: no attempts';
  return `Last 24 hours: ${counted(day.attempts, 'attempt')}, ${percent(day.delivered, day.attempts)} delivered`;
}

/** How a webhook fares, in a word. */
export function Health({ webhook, attempts }: { readonly webhook: Webhook; readonly attempts: number | undefined }) {
  const { paused, pause_reason, failing_since } = webhook;
  if (paused) return html`<${Badge} tone="warn">paused${pause_reason === 'failing' ? ' by itself' : ''}<//>`;
  if (failing_since !== null)
    return html`<${Badge} tone="bad">failing for ${age(Date.now() - Date.parse(failing_since))}<//>`;
  if (attempts === 0) return html`<${Badge} tone="quiet">quiet<//>`;
  return html`<${Badge} tone="good">healthy<//>`;
}

interface NewWebhookProps {
  readonly channel: string;
  readonly made: () => unknown;
  readonly isOpen: boolean;
}

function NewWebhook({ channel, made, isOpen }: NewWebhookProps) {
  const { api } = useSignedIn();
  const send = (fields: WebhookFields) => api.post(path.webhooks(channel), given(fields));
  return html`<details class="new" open=${isOpen}>
    <summary>Add a webhook</summary>
    <${WebhookForm} label="Add webhook" said="Webhook added" send=${send} sent=${made} />
  </details>`;
}

function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
