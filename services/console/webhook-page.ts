import { useState } from 'preact/hooks';
import type { Stats, Webhook } from './answers.ts';
import { Health } from './channel-webhooks.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Card, Confirmed, Copy, Crumbs, Fact, Facts, Heading, Secret, Shown } from './parts.ts';
import { path, to } from './place.ts';
import { RecoverForm } from './recover-form.ts';
import { useDoing, useSignedIn } from './session.ts';
import { VerifySnippets } from './verify-snippets.ts';
import { WebhookCharts } from './webhook-charts.ts';
import { WebhookDeliveries } from './webhook-deliveries.ts';
import { type WebhookFields, WebhookForm } from './webhook-form.ts';

/** How often its health is looked at, in ms. */
const LOOK_MS = 10_000;

interface WebhookPageProps {
  readonly channel: string;
  readonly webhook: string;
}

export function WebhookPage({ channel, webhook: id }: WebhookPageProps) {
  const { api, session } = useSignedIn();
  const of = path.webhook(channel, id);
  const loaded = useLoaded(() => api.get<Webhook>(of), [api, of], LOOK_MS);
  const [acts, setActs] = useState(0);
  const [looks, setLooks] = useState(0);
  const stats = useLoaded(() => api.get<Stats>(`${of}/stats`), [api, of], LOOK_MS);
  return html`${session.role !== 'subscriber' && html`<${Crumbs}><a href=${to.channel(channel)}>Channel</a><//>`}
    <${Shown} loaded=${loaded} rows=${6}>${(webhook: Webhook) => html`
      <${Heading} title=${webhook.name ?? `Webhook ${webhook.id}`}>
        <p class="about"><code>${webhook.id}</code><${Copy} text=${String(webhook.id)} what="Webhook id" />
          <${Health} webhook=${webhook} attempts=${stats.data?.week.attempts} /></p>
        <p class="muted url">${webhook.webhook_url}</p>
      <//>
      <${Actions} of=${of} webhook=${webhook} again=${loaded.again} acted=${() => setActs(acts + 1)} />
      <div class="columns">
        <div class="wide">
          <${WebhookCharts} of=${of} looks=${looks} />
          <${WebhookDeliveries} channel=${channel} webhook=${id} acts=${acts} looked=${() => setLooks((before) => before + 1)} />
        </div>
        <div class="narrow">
          <${Settings} of=${of} webhook=${webhook} again=${loaded.again} />
          <${RecoverForm} of=${of} />
        </div>
      </div>
      <${VerifySnippets} />`}<//>`;
}

interface OfWebhook {
  /** Its path in the API. */
  readonly of: string;
  readonly webhook: Webhook;
  readonly again: () => Promise<void>;
}

function Actions({ of, webhook, again, acted }: OfWebhook & { readonly acted: () => void }) {
  const { api } = useSignedIn();
  const doing = useDoing();
  const { paused } = webhook;
  const pause = async () => {
    await doing(paused ? 'Resumed: what waited goes out' : 'Paused: deliveries wait', () =>
      api.put(of, { paused: !paused }),
    );
    acted();
    await again();
  };
  const ping = async () => {
    await doing('Ping sent: see the deliveries', () => api.post(`${of}/ping`));
    acted();
  };
  return html`<div class="actions">
    <button type="button" class=${paused ? 'primary' : ''} onClick=${pause}>${paused ? 'Resume' : 'Pause'}</button>
    <button type="button" onClick=${ping}>Send a ping</button>
  </div>`;
}

function Settings({ of, webhook, again }: OfWebhook) {
  const { api, session } = useSignedIn();
  const doing = useDoing();
  const { event_names = ['*'], signatures = ['v1'], headers = {}, subscriber_key, signing_secret } = webhook;
  const rotate = (what: string, said: string) => async () => {
    await doing(said, () => api.post(`${of}/${what}`));
    await again();
  };
  const names = Object.keys(headers);
  return html`<${Card} title="Settings">
    <${Facts}>
      <${Fact} name="Asks for">${event_names.map((name) => html`<code key=${name}>${name}</code> `)}<//>
      ${webhook.kind === 'operational' && html`<${Fact} name="Kind">operational: told how the other webhooks fare<//>`}
      <${Fact} name="Signed with">${signatures.join(' and ')}<//>
      ${names.length > 0 && html`<${Fact} name="Headers of its own">${names.map((name) => html`<code key=${name}>${name}</code> `)}<//>`}
      <${Fact} name="Signing secret"><${Secret} text=${signing_secret} what="Signing secret" /><//>
      <${Fact} name="Subscriber key"><${Secret} text=${subscriber_key} what="Subscriber key" /><//>
    <//>
    <details class="new">
      <summary>Change</summary>
      <${WebhookForm} webhook=${webhook} label="Save" said="Saved: it holds from the next attempt on"
        send=${(fields: WebhookFields) => api.put(of, fields)} sent=${again} />
    </details>
    ${
      session.role !== 'subscriber' &&
      html`<p class="actions">
      <${Confirmed} label="Rotate secret" question="Rotate the signing secret?" act=${rotate('rotate_secret', 'There is a new secret')}>
        <p>Deliveries are signed with a new one from now on. The old one signs along for 24 hours, so the receiver has that long to change over.</p><//>
      <${Confirmed} label="Rotate key" question="Rotate the subscriber key?" act=${rotate('rotate_key', 'There is a new key')}>
        <p>The old key stops at once: whoever uses it has to be given the new one.</p><//>
    </p>`
    }
  <//>`;
}
