import { useState } from 'preact/hooks';
import type { Recovery } from './answers.ts';
import { html } from './html.ts';
import { useLoaded } from './loaded.ts';
import { Badge, Card, Field, When } from './parts.ts';
import { useDoing, useSignedIn } from './session.ts';
import { counted } from './words.ts';

const LOOK_MS = 2_000;
const DAY_MS = 24 * 60 * 60_000;

/** Delivers again all that failed in a time, and shows how far that is. */
export function RecoverForm({ of }: { readonly of: string }) {
  const { api } = useSignedIn();
  const doing = useDoing();
  const [since, setSince] = useState(asLocal(Date.now() - DAY_MS));
  const [isMissing, setMissing] = useState(false);
  const recoveries = useLoaded(
    () => api.get<Recovery[]>(`${of}/recoveries`, { limit: 3 }),
    [api, of],
    (found) => (found?.some(({ status }) => status === 'running') ? LOOK_MS : 0),
  );
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const body = { since: new Date(since).toISOString(), missing: isMissing };
    await doing('Recovery begun', () => api.post(`${of}/recover`, body));
    await recoveries.again();
  }
  return html`<${Card} title="Recover">
    <p class="muted">After an outage of the receiver: delivers again all that failed.</p>
    <form onSubmit=${submit}>
      <${Field} label="Published since">
        <input type="datetime-local" required step="1" value=${since} onInput=${(event: InputEvent) => setSince((event.target as HTMLInputElement).value)} />
      <//>
      <label class="check"><input type="checkbox" checked=${isMissing} onChange=${() => setMissing(!isMissing)} /> also what it was never sent</label>
      <button type="submit">Recover</button>
    </form>
    <ul class="rows">${(recoveries.data ?? []).map(
      ({ id, status, found, requested_at }) => html`<li key=${id} class="row">
        <${Badge} tone=${status === 'running' ? 'busy' : 'good'}>${status}<//>
        <span>${counted(found.failed + found.missing, 'event')}</span>
        <${When} at=${requested_at} />
      </li>`,
    )}</ul>
  <//>`;
}

/** As an input of that type takes it: in the time of whoever looks, to the second. */
function asLocal(atMs: number): string {
  return new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
