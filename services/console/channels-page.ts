import { useState } from 'preact/hooks';
import type { Channel } from './answers.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Badge, Card, Empty, Heading, Shown } from './parts.ts';
import { to } from './place.ts';
import { useSignedIn } from './session.ts';

/** All channels, a page at a time, for the admin. */
export function ChannelsPage() {
  const { api } = useSignedIn();
  const first = useLoaded(() => api.list<Channel>('/v1/channels'), [api]);
  const [more, setMore] = useState<readonly Channel[]>([]);
  const [next, setNext] = useState<string | undefined>();
  async function load(path: string) {
    const part = await api.list<Channel>(path);
    setMore([...more, ...part.items]);
    setNext(part.next ?? '');
  }
  return html`<${Heading} title="Channels" />
    <${Card} title="All channels">
      <${Shown} loaded=${first}>${(part: { items: readonly Channel[]; next: string | undefined }) => {
        const following = next ?? part.next;
        if (part.items.length === 0)
          return html`<${Empty}><p>There is no channel yet: POST /v1/channels makes one.</p><//>`;
        return html`<ul class="rows">${[...part.items, ...more].map(
          ({ id, name, guid, public: isPublic }) => html`<li key=${id}><a class="row" href=${to.channel(id)}>
            <strong>${name}</strong>
            <code>${guid ?? id}</code>
            ${isPublic && html`<${Badge} tone="quiet">public<//>`}
          </a></li>`,
        )}</ul>
        ${following && html`<button type="button" onClick=${() => load(following)}>More</button>`}`;
      }}<//>
    <//>`;
}
