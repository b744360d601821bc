import type { LogEntry } from './answers.ts';
import { html } from './html.ts';
import { useNow } from './loaded.ts';
import { apart, type Scale, scaleOver } from './timeline-scale.ts';
import { clock, countdown, took } from './words.ts';

/** How far apart attempts are drawn at least, as a share of the axis: about as wide as they are. */
const gap = () => (innerWidth > 520 ? 0.035 : 0.09);

interface TimelineProps {
  readonly entry: LogEntry;
  /** When the event was published: the axis begins there. */
  readonly publishedMs: number;
  readonly open: (attempt: number) => void;
}

/** The attempts of one delivery on an axis of time, and the next one. What it shows stands in the list below it as well. */
export function Timeline({ entry, publishedMs, open }: TimelineProps) {
  const { attempts, next_attempt_at: next, status } = entry;
  const nowMs = useNow(status === 'pending' ? 1_000 : 0);
  const nextMs = next === null ? undefined : Date.parse(next);
  const times = attempts.map(({ at }) => Date.parse(at));
  const scale = scaleOver([publishedMs, ...times, ...(status === 'pending' ? [nowMs, nextMs ?? nowMs] : [])]);
  const all = nextMs === undefined ? times : [...times, Math.max(nextMs, nowMs)];
  const places = apart(all.map(scale.place), gap());
  const reached = status === 'pending' ? scale.place(nowMs) : (places.at(-1) ?? 0);
  return html`<div class="timeline" aria-hidden="true">
    <div class="axis">
      <span class="track"></span>
      <span class=${`done ${status}`} style=${{ width: inPercent(reached) }}></span>
      ${attempts.map(
        (attempt, n) => html`<button type="button" tabindex="-1" key=${attempt.attempt}
        class=${`mark ${isDelivering(entry, n) ? 'good' : 'bad'} ${attempt.trigger}`} style=${{ left: inPercent(places[n]) }}
        title=${`Attempt ${attempt.attempt}, ${clock(times[n] as number)}: ${attempt.status_code ?? attempt.error}, ${took(attempt.duration_ms)}`}
        onClick=${() => open(attempt.attempt)}>${isDelivering(entry, n) ? '✓' : '✕'}</button>`,
      )}
      ${
        nextMs !== undefined &&
        html`<span class="mark next" style=${{ left: inPercent(places.at(-1)) }}
        title=${`Next attempt: ${clock(nextMs)}`}></span>
        <span class="left" style=${{ left: inPercent(places.at(-1)) }}>${nextMs > nowMs ? countdown(nextMs - nowMs) : 'now'}</span>`
      }
    </div>
    <${Ticks} scale=${scale} />
  </div>`;
}

function Ticks({ scale: { ticks } }: { readonly scale: Scale }) {
  return html`<div class="ticks">${ticks.map(
    ({ at, atMs }, n) => html`<span key=${n} style=${{ left: inPercent(at) }}>${clock(atMs)}</span>`,
  )}</div>`;
}

/**
 * Whether an attempt delivered. The log does not say so of each, but where a retry follows it did not, and of the last one the status tells; of one before a redelivery, a
 * 200 delivers in every deployment.
 */
export function isDelivering({ attempts, status }: LogEntry, n: number): boolean {
  const following = attempts[n + 1];
  if (following?.trigger === 'retry') return false;
  if (following === undefined && (status === 'delivered' || status === 'failed')) return status === 'delivered';
  return attempts[n]?.status_code === 200;
}

function inPercent(share = 0): string {
  return `${(share * 100).toFixed(2)}%`;
}
