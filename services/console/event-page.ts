import { useState } from 'preact/hooks';
import type { Event, LogEntry, Webhook } from './answers.ts';
import { type Api, Refused } from './api.ts';
import { DeliveryCard } from './delivery-card.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Card, Copy, Crumbs, Empty, Fact, Facts, Heading, Shown, When } from './parts.ts';
import { path, to } from './place.ts';
import { useDoing, useSignedIn } from './session.ts';
import { dateAndClock, shortUrl } from './words.ts';

/** How often it is looked what became of it while something waits, in ms: when an attempt is due, but no more and no less often than so. */
const [OFTEN_MS, SELDOM_MS] = [1_000, 10_000];

interface EventPageProps {
  readonly channel: string;
  readonly event: string;
}

export function EventPage({ channel, event: id }: EventPageProps) {
  const { api, session } = useSignedIn();
  const event = useLoaded(() => readEvent(api, { channel, id, webhook: session.webhook }), [api, channel, id]);
  const [isAll, setAll] = useState(false);
  const logPath = `${path.event(channel, id)}/notification_log`;
  const readLog = () => api.get<LogEntry[]>(logPath, { include: isAll ? 'skipped' : undefined });
  const log = useLoaded(readLog, [api, logPath, isAll], intervalOf);
  const names = useLoaded(() => readNames(api, channel, session.webhook), [api, channel]);
  const doing = useDoing();
  const redeliver = async (webhook?: number) => {
    const body = webhook === undefined ? {} : { webhook_id: webhook };
    await doing('Delivering it again', () => api.post(`${path.event(channel, id)}/redeliver`, body));
    await log.again();
  };
  const isPublisher = session.role !== 'subscriber';

  return html`<${Crumbs}>${isPublisher ? html`<a href=${to.channel(channel)}>Channel</a>` : html`<a href=${to.webhook(channel, session.webhook as string)}>Webhook</a>`}<//>
    <${Shown} loaded=${event} rows=${6}>${(event: Event) => html`
      <${Heading} title=${event.event_name}>
        <p class="about"><code>${event.id}</code><${Copy} text=${String(event.id)} what="Event id" />
          <span class="muted">published <${When} at=${event.published_at} /></span></p>
      <//>
      <div class="columns event">
        <div class="wide">
          <div class="between">
            <h2>Deliveries</h2>
            ${isPublisher && html`<button type="button" onClick=${() => redeliver()}>Deliver to all again</button>`}
          </div>
          <${Shown} loaded=${log}>${(entries: readonly LogEntry[]) => html`
            ${entries.length === 0 && html`<div class="card"><${Empty}><p>No webhook was sent this event.</p><//></div>`}
            ${entries.map(
              (entry) => html`<${DeliveryCard} key=${entry.webhook_id} channel=${channel} entry=${entry} event=${event}
              name=${names.data?.get(entry.webhook_id)} redeliver=${isPublisher && (() => redeliver(entry.webhook_id))} />`,
            )}
            ${isPublisher && !isAll && html`<p><button type="button" class="small" onClick=${() => setAll(true)}>Which webhooks were not sent it, and why?</button></p>`}
            ${isAll && !entries.some(({ status }) => status === 'skipped') && html`<p class="muted">Every webhook of the channel was sent it.</p>`}
          `}<//>
        </div>
        <div class="narrow"><${Payload} event=${event} channel=${channel} /></div>
      </div>`}<//>`;
}

/** A subscriber may not read events, but the list of its own deliveries tells of each. */
async function readEvent(
  api: Api,
  { channel, id, webhook }: { channel: string; id: string; webhook?: string | undefined },
) {
  if (webhook === undefined) return api.get<Event>(path.event(channel, id));
  const unknown = new Refused(404, { title: 'There is no such event of this webhook' });
  if (!/^[1-9][0-9]{0,15}$/.test(id)) throw unknown;
  // The list goes on behind an id: one more begins with this one.
  const query = { after: String(BigInt(id) + 1n), limit: 1 };
  const [delivery] = await api.get<{ event_id: number }[]>(`${path.webhook(channel, webhook)}/deliveries`, query);
  if (delivery?.event_id !== Number(id)) throw unknown;
  return { ...delivery, id: delivery.event_id };
}

async function readNames(api: Api, channel: string, own: string | undefined): Promise<ReadonlyMap<number, string>> {
  const webhooks =
    own === undefined
      ? await api.get<Webhook[]>(path.webhooks(channel), { limit: 250 })
      : [await api.get<Webhook>(path.webhook(channel, own))];
  return new Map(webhooks.map(({ id, name, webhook_url }) => [id, name ?? shortUrl(webhook_url)]));
}

function intervalOf(entries: readonly LogEntry[] = []): number {
  const pending = entries.filter(({ status }) => status === 'pending');
  if (pending.length === 0) return 0;
  const nexts = pending.map(({ next_attempt_at: next }) =>
    next === null ? Number.POSITIVE_INFINITY : Date.parse(next),
  );
  return Math.min(SELDOM_MS, Math.max(OFTEN_MS, Math.min(...nexts) - Date.now()));
}

function Payload({ event, channel }: { readonly event: Event; readonly channel: string }) {
  const { ext_ref_code, event_url, published_at, data } = event;
  const text = JSON.stringify(data, null, 2);
  return html`<${Card} title="Event">
      <${Facts}>
        <${Fact} name="Published">${dateAndClock(Date.parse(published_at))}<//>
        ${ext_ref_code && html`<${Fact} name="Reference"><a href=${to.search(channel, { q: ext_ref_code })}>${ext_ref_code}</a><//>`}
        ${event_url && html`<${Fact} name="URL"><a href=${event_url} rel="noreferrer noopener" target="_blank">${shortUrl(event_url)}</a><//>`}
      <//>
    <//>
    <${Card} title="Data" aside=${text && html`<${Copy} text=${text} what="Data" />`}>
      ${text ? html`<pre tabindex="0" aria-label="Data of the event">${text}</pre>` : html`<${Empty}><p>${event.channel_id === undefined ? 'The feed of the webhook has it.' : 'It was published without data.'}</p><//>`}
    <//>`;
}
