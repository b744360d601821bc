import type { PeriodStats } from './answers.ts';
import { html } from './html.ts';

const [WIDTH, HEIGHT] = [96, 24];

/** How many attempts there were in each part of a time, those that failed on top. */
export function Sparkline({ series, label }: { readonly series: readonly PeriodStats[]; readonly label: string }) {
  const most = Math.max(1, ...series.map(({ attempts }) => attempts));
  const step = WIDTH / series.length;
  const tall = (count: number) => (count === 0 ? 0 : Math.max(2, (count / most) * HEIGHT));
  const bar = (n: number, from: number, height: number, kind: string) =>
    height > 0 &&
    html`<rect class=${kind} x=${n * step + 0.5} y=${HEIGHT - from - height} width=${step - 1} height=${height} />`;
  return html`<svg class="sparkline" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
    <line x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
    ${series.map(({ delivered, failed_attempts }, n) => [
      bar(n, 0, tall(delivered), 'good'),
      bar(n, tall(delivered), tall(failed_attempts), 'bad'),
    ])}
  </svg>`;
}
