import uPlot from 'uplot';
import type { PeriodStats } from './answers.ts';
import { clock, took } from './words.ts';

export interface Drawn {
  destroy(): void;
}

/** Where the charts go. */
export type Canvases = Readonly<Record<'outcomes' | 'durations', HTMLElement>>;

const HEIGHT = 150;
const TWO_DAYS_S = 2 * 86_400;

/** uPlot's own style sheet. */
export const whenStyled: Promise<void> = new Promise((resolve) => {
  const link = document.createElement('link');
  const styled = () => resolve();
  Object.assign(link, { rel: 'stylesheet', href: new URL('./uplot.css', import.meta.url).href, onload: styled });
  document.head.append(link);
});

/** Two charts over the same time: what came of attempts, and how long they took. */
export function draw({ outcomes, durations }: Canvases, series: readonly PeriodStats[]): Drawn {
  const times = series.map(({ from }) => Date.parse(from) / 1_000);
  const charts = [drawOutcomes(outcomes, times, series), drawDurations(durations, times, series)] as const;
  const watching = new ResizeObserver(() => {
    for (const chart of charts) chart.setSize({ width: outcomes.clientWidth, height: HEIGHT });
  });
  watching.observe(outcomes);
  return {
    destroy() {
      watching.disconnect();
      for (const chart of charts) chart.destroy();
    },
  };
}

function drawOutcomes(element: HTMLElement, times: number[], series: readonly PeriodStats[]): uPlot {
  const { good, bad, ...colours } = coloursOf(element);
  const paths = uPlot.paths.bars?.({ size: [0.7, 40], align: 1 }) as uPlot.Series.PathBuilder;
  const bars = (label: string, colour: string) => ({ label, paths, fill: colour, width: 0, points: { show: false } });
  const asCount = (count: number) => (Number.isInteger(count) ? count.toLocaleString('en') : '');
  // All of them, and those that delivered drawn over it: what is left to see has failed.
  const options = { ...common(element, times, colours, asCount), series: [{}, bars('failed', bad), bars('ok', good)] };
  return new uPlot(
    options,
    [times, series.map(({ attempts }) => attempts), series.map(({ delivered }) => delivered)],
    element,
  );
}

function drawDurations(element: HTMLElement, times: number[], series: readonly PeriodStats[]): uPlot {
  const { p50, p95, ...colours } = coloursOf(element);
  const line = (label: string, colour: string) => ({
    ...{ label, stroke: colour, width: 2, spanGaps: true },
    points: { size: 6, fill: colour },
  });
  const options = { ...common(element, times, colours, took), series: [{}, line('p95', p95), line('p50', p50)] };
  const of = (share: 'p50' | 'p95') => series.map(({ duration_ms }) => duration_ms?.[share] ?? null);
  return new uPlot(options, [times, of('p95'), of('p50')], element);
}

const INKS = ['good', 'bad', 'p50', 'p95', 'line', 'muted'] as const;
type Colours = Readonly<Record<(typeof INKS)[number], string>>;

/** Those of the style sheet, as they are by this light. */
function coloursOf(element: HTMLElement): Colours {
  const probe = element.appendChild(document.createElement('span'));
  const read = INKS.map((name) => {
    probe.className = `ink ${name}`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(read) as Colours;
}

function common(
  element: HTMLElement,
  times: readonly number[],
  { line, muted }: Pick<Colours, 'line' | 'muted'>,
  inWords: (value: number) => string,
): Omit<uPlot.Options, 'series'> {
  const axis = { stroke: muted, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  const [first = 0, second = 0] = times;
  const end = (times.at(-1) ?? 0) + (second - first);
  return {
    ...{ width: element.clientWidth, height: HEIGHT, padding: [8, 20, 0, 0] },
    ...{ legend: { show: false }, cursor: { show: false } },
    scales: { x: { range: [first, end] }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 70,
        values: (_, splits) => splits.map((at) => timeOf(at, splits)),
      },
      {
        ...{ ...axis, grid: { stroke: line, width: 1 }, size: 56, space: 36 },
        values: (_, splits) => splits.map(inWords),
      },
    ],
  };
}

function timeOf(atS: number, splits: readonly number[]): string {
  const isLong = (splits.at(-1) as number) - (splits[0] as number) > TWO_DAYS_S;
  if (!isLong) return clock(atS * 1_000).slice(0, 5);
  return new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric' }).format(atS * 1_000);
}
