import { useState } from 'preact/hooks';
import type { Channel } from './answers.ts';
import { ChannelEvents } from './channel-events.ts';
import { ChannelForm } from './channel-form.ts';
import { ChannelWebhooks } from './channel-webhooks.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Badge, Card, Confirmed, Copy, Crumbs, Fact, Facts, Heading, Secret, Shown } from './parts.ts';
import { path, to } from './place.ts';
import { PublishForm } from './publish-form.ts';
import { useDoing, useSignedIn } from './session.ts';

export function ChannelPage({ channel: ref }: { readonly channel: string }) {
  const { api, session } = useSignedIn();
  const [looks, setLooks] = useState(0);
  const loaded = useLoaded(() => api.get<Channel>(path.channel(ref)), [api, ref]);
  return html`${session.role === 'admin' && html`<${Crumbs}><a href=${to.channels}>Channels</a><//>`}
    <${Shown} loaded=${loaded} rows=${6}>${(channel: Channel) => html`
      <${Heading} title=${channel.name}>
        <p class="about"><code>${channel.id}</code><${Copy} text=${String(channel.id)} what="Channel id" />
          ${channel.public && html`<${Badge} tone="quiet">public<//>`}</p>
      <//>
      ${channel.description && html`<p class="muted">${channel.description}</p>`}
      <div class="columns">
        <div class="wide">
          <${PublishForm} channel=${ref} />
          <${ChannelEvents} channel=${ref} looked=${() => setLooks((before) => before + 1)} />
        </div>
        <div class="narrow">
          <${ChannelWebhooks} channel=${ref} looks=${looks} />
          <${Settings} channel=${channel} again=${loaded.again} />
        </div>
      </div>`}<//>`;
}

function Settings({ channel, again }: { readonly channel: Channel; readonly again: () => Promise<void> }) {
  const { api, session, takeKey } = useSignedIn();
  const doing = useDoing();
  const { guid, email, publisher_key } = channel;
  const rotate = () =>
    doing('There is a new key', async () => {
      const rotated = await api.post<Channel>(`${path.channel(String(channel.id))}/rotate_key`);
      if (session.role === 'publisher') takeKey(rotated.publisher_key as string);
      else await again();
    });
  return html`<${Card} title="Settings">
    <${Facts}>
      <${Fact} name="Id"><code>${channel.id}</code><//>
      ${guid && html`<${Fact} name="Guid"><code>${guid}</code><//>`}
      <${Fact} name="E-mail">${email ?? html`<span class="muted">none</span>`}<//>
      <${Fact} name="Who can read it">${channel.public ? 'everybody, without e-mail and key' : 'whoever has the key'}<//>
      ${publisher_key && html`<${Fact} name="Publisher key"><${Secret} text=${publisher_key} what="Publisher key" /><//>`}
    <//>
    <details class="new">
      <summary>Change</summary>
      <${ChannelForm} channel=${channel} sent=${again} />
    </details>
    <p class="actions">
      <${Confirmed} label="Rotate key" question="Rotate the publisher key?" act=${rotate}>
        <p>The old key stops at once: whoever publishes with it has to be given the new one.</p><//>
    </p>
  <//>`;
}
