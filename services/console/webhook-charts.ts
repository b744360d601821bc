import { useEffect, useRef, useState } from 'preact/hooks';
import type { PeriodStats, Stats } from './answers.ts';
import type { Drawn } from './charts.ts';
import { html } from './html.ts';
import { useDark, useLoaded, useLooksOf } from './loaded.ts';
import { Card, Choice, Empty, Shown } from './parts.ts';
import { useSignedIn } from './session.ts';
import { counted, percent, took } from './words.ts';

const LOOK_MS = 15_000;
const PERIODS = { hour: 'Hour', day: 'Day', week: 'Week' } as const;
type Period = keyof typeof PERIODS;

/** How attempts on a webhook have gone: how many delivered, and how long they took. */
export function WebhookCharts({ of, looks }: { readonly of: string; readonly looks: number }) {
  const { api } = useSignedIn();
  const [period, setPeriod] = useState<Period>('day');
  const loaded = useLoaded(() => api.get<Stats>(`${of}/stats`, { series: period }), [api, of, period], LOOK_MS);
  useLooksOf(looks, loaded.again);
  return html`<${Card} title="Attempts" aside=${html`<${Choice} label="Time" options=${PERIODS} chosen=${period} choose=${setPeriod} />`}>
    <${Shown} loaded=${loaded} rows=${5}>${(stats: Stats) => html`
      <${Tiles} period=${stats[period]} />
      ${
        stats[period].attempts === 0
          ? html`<${Empty}><p>There were no attempts in this time.</p><//>`
          : html`<${Charts} series=${stats.series ?? []} period=${stats[period]} name=${PERIODS[period].toLowerCase()} />`
      }`}<//>
  <//>`;
}

function Tiles({ period: { attempts, delivered, failed, duration_ms } }: { readonly period: PeriodStats }) {
  const tiles = {
    Delivered: percent(delivered, attempts),
    Attempts: attempts.toLocaleString('en'),
    'Given up': failed.toLocaleString('en'),
    Median: duration_ms ? took(duration_ms.p50) : '–',
    '95 % within': duration_ms ? took(duration_ms.p95) : '–',
  };
  return html`<dl class="tiles">${Object.entries(tiles).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

interface ChartsProps {
  readonly series: readonly PeriodStats[];
  readonly period: PeriodStats;
  readonly name: string;
}

/** Drawn by uPlot, which is loaded only now: the first view does without. */
function Charts({ series, period, name }: ChartsProps) {
  const [outcomes, durations] = [useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null)];
  const isDark = useDark();
  useEffect(() => {
    let drawn: Drawn | undefined;
    let isGone = false;
    void import('./charts.ts').then(async ({ draw, whenStyled }) => {
      await whenStyled;
      if (isGone || !outcomes.current || !durations.current) return;
      drawn = draw({ outcomes: outcomes.current, durations: durations.current }, series);
    });
    return () => {
      isGone = true;
      drawn?.destroy();
    };
  }, [series, isDark]);
  const said = `Last ${name}: ${counted(period.attempts, 'attempt')}, ${percent(period.delivered, period.attempts)} delivered`;
  const times = period.duration_ms
    ? `median ${took(period.duration_ms.p50)}, 95 % within ${took(period.duration_ms.p95)}`
    : '';
  return html`<figure><figcaption><span class="key good"></span>delivered <span class="key bad"></span>failed</figcaption>
      <div class="chart" role="img" aria-label=${said} ref=${outcomes}></div></figure>
    <figure><figcaption><span class="key p50"></span>median <span class="key p95"></span>95 % within</figcaption>
      <div class="chart" role="img" aria-label=${`Durations: ${times}`} ref=${durations}></div></figure>`;
}
