import { useRef, useState } from 'preact/hooks';
import type { Attempt, Event, LogEntry, WebhookThen } from './answers.ts';
import { Refused } from './api.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Badge, Copy, Countdown, Shown, type Tone, When } from './parts.ts';
import { path, to } from './place.ts';
import { useSignedIn } from './session.ts';
import { isDelivering, Timeline } from './timeline.ts';
import { clock, ERRORS, shortUrl, took } from './words.ts';

interface DeliveryCardProps {
  readonly channel: string;
  readonly entry: LogEntry;
  readonly event: Event;
  readonly name: string | undefined;
  readonly redeliver: (() => unknown) | false;
}

/** What became of an event at one webhook. */
export function DeliveryCard({ channel, entry, event, name, redeliver }: DeliveryCardProps) {
  const list = useRef<HTMLOListElement>(null);
  const title = name ?? shortUrl(entry.webhook_url);
  const open = (attempt: number) => {
    const details = list.current?.querySelector<HTMLDetailsElement>(`[data-attempt="${attempt}"]`);
    if (!details) return;
    details.open = true;
    details.scrollIntoView({ block: 'nearest' });
  };
  return html`<article class="card delivery" aria-label=${`Delivery to ${title}`}>
    <header>
      <div><h3><a href=${to.webhook(channel, entry.webhook_id)}>${title}</a></h3><p class="muted url">${entry.webhook_url}</p></div>
      <${State} entry=${entry} />
    </header>
    ${entry.status !== 'skipped' && html`<${Timeline} entry=${entry} publishedMs=${Date.parse(event.published_at)} open=${open} />`}
    <ol class="attempts" ref=${list}>${entry.attempts.map(
      (
        attempt,
        n,
      ) => html`<li key=${attempt.attempt}><${AttemptDetails} channel=${channel} entry=${entry} event=${event} attempt=${attempt}
        isGood=${isDelivering(entry, n)} /></li>`,
    )}</ol>
    <${Redeliveries} entry=${entry} />
    ${redeliver && entry.reason !== 'deleted_before' && entry.status !== 'cancelled' && html`<p class="actions"><button type="button" onClick=${redeliver}>${entry.attempts.length > 0 ? 'Deliver again' : 'Deliver now'}</button></p>`}
  </article>`;
}

const STATES: Readonly<Record<LogEntry['status'], { tone: Tone; text: string }>> = {
  pending: { tone: 'busy', text: 'pending' },
  delivered: { tone: 'good', text: 'delivered' },
  failed: { tone: 'bad', text: 'failed' },
  cancelled: { tone: 'quiet', text: 'cancelled' },
  skipped: { tone: 'quiet', text: 'not sent' },
};

const REASONS: Readonly<Record<NonNullable<LogEntry['reason']>, string>> = {
  event_names: 'It did not ask for events of this name then.',
  created_later: 'It was created after the event was published.',
  deleted_before: 'It was deleted before the event was published.',
};

function State({ entry }: { readonly entry: LogEntry }) {
  const { status, next_attempt_at, attempts, reason } = entry;
  const isRetrying = status === 'pending' && attempts.length > 0;
  const { tone, text } = isRetrying ? ({ tone: 'warn', text: 'retrying' } as const) : STATES[status];
  return html`<div class="state"><${Badge} tone=${tone}>${text}<//>
    ${status === 'pending' && html`<p class="muted">${next_attempt_at === null ? 'Its webhook is paused.' : html`Next attempt <${Countdown} at=${next_attempt_at} />`}</p>`}
    ${reason && html`<p class="muted">${REASONS[reason]}</p>`}
  </div>`;
}

interface AttemptProps {
  readonly channel: string;
  readonly entry: LogEntry;
  readonly event: Event;
  readonly attempt: Attempt;
  readonly isGood: boolean;
}

const TRIGGERS: Readonly<Record<Attempt['trigger'], string>> = {
  publish: 'on publication',
  retry: 'retry',
  redeliver: 'asked for again',
};

function AttemptDetails({ channel, entry, event, attempt, isGood }: AttemptProps) {
  const [isOpen, setOpen] = useState(false);
  const { attempt: number, at, status_code, error, duration_ms, trigger } = attempt;
  const toggled = (toggle: globalThis.Event) => setOpen((toggle.target as HTMLDetailsElement).open);
  return html`<details data-attempt=${number} onToggle=${toggled}>
    <summary>
      <${Badge} tone=${isGood ? 'good' : 'bad'}>${status_code ?? error?.replaceAll('_', ' ')}<//>
      <span>#${number} <span class="muted">${TRIGGERS[trigger]}</span></span>
      <span class="muted digits">${took(duration_ms)}</span>
      <time datetime=${at} title=${at}>${clock(Date.parse(at))}</time>
    </summary>
    ${isOpen && html`<${Exchange} channel=${channel} entry=${entry} event=${event} attempt=${attempt} />`}
  </details>`;
}

type ExchangeProps = Omit<AttemptProps, 'isGood'>;

/** Request and answer, as far as the log keeps them. */
function Exchange({ channel, entry, event, attempt }: ExchangeProps) {
  const { api } = useSignedIn();
  const of = path.webhook(channel, entry.webhook_id);
  const { webhook_revision: revision } = attempt;
  const readThen = () => api.get<WebhookThen>(of, { revision }).catch(unlessGone(entry));
  const then = useLoaded(readThen, [api, of, revision]);
  const body = event.channel_id !== undefined && JSON.stringify(event, null, 2);
  const { status_code, error, response_body } = attempt;
  return html`<div class="exchange">
    <section><h4>Request</h4>
      <${Shown} loaded=${then} rows=${2}>${({
        webhook_url,
        headers = [],
      }: Pick<WebhookThen, 'webhook_url' | 'headers'>) => html`
        <pre tabindex="0" aria-label="Head of the request">${headOf(webhook_url, headers)}</pre>`}<//>
      ${body && html`<details><summary>Body</summary><pre tabindex="0" aria-label="Body of the request">${body}</pre></details>`}
    </section>
    <section><h4>Answer</h4>
      ${status_code === null ? html`<p>${ERRORS[error ?? ''] ?? error}</p>` : html`<p>Status <strong>${status_code}</strong>${response_body === '' && ', without a body'}</p>`}
      ${response_body !== '' && html`<pre tabindex="0" aria-label="Body of the answer">${response_body}</pre><${Copy} text=${response_body} what="Answer" />`}
    </section>
  </div>`;
}

/** What is still known of a webhook that has been deleted. */
function unlessGone({ webhook_url }: LogEntry) {
  return (error: unknown) => {
    if (error instanceof Refused && error.status === 404) return { webhook_url };
    throw error;
  };
}

/** Values of headers are not kept: neither those of the signature nor those of the webhook. */
function headOf(url: string, headers: readonly string[]): string {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature', ...headers];
  return [`POST ${url}`, 'content-type: application/json', ...names.map((name) => `${name}: …`)].join('\n');
}

function Redeliveries({ entry: { redeliveries = [] } }: { readonly entry: LogEntry }) {
  return redeliveries.map(
    ({ id, requested_at, by, reason }) =>
      html`<p class="muted asked" key=${id}>Asked for again by the ${by} <${When} at=${requested_at} />${reason && html`: “${reason}”`}</p>`,
  );
}
