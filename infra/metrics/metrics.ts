import { Counter, Histogram, type MetricObjectWithValues, type Metric as PromMetric, Registry } from 'prom-client';
import { pause } from '../pause.ts';
import type { Metric } from './names.ts';

/** How long what is looked up when it is asked for may take, in ms. */
const LOOK_UP_MS = 1_500;

/** One figure, or several by the values of the metric's label; undefined where it is not known, which must not look like zero. */
export type Figure = number | Readonly<Record<string, number>> | undefined;

/** The figures of one process, as it tells them. */
export type Figures = readonly MetricObjectWithValues<FigureValue>[];

interface FigureValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

type Of<M> = M extends Metric<infer L> ? L : never;
type Typed<T extends Metric['type']> = Metric & { readonly type: T };

export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of one process: each is made once, by whoever it is about. */
export function createMetrics() {
  const registry = new Registry();
  const options = ({ name, help, labels: labelNames }: Metric) => ({ name, help, labelNames, registers: [registry] });

  /** Looked up each time that the figures are told, and left out where that fails or takes too long. */
  function lookUp({ type, name, help, labels: [label] }: Metric, ask: () => Promise<Figure> | Figure) {
    const asked = async () => await ask();
    const get = async () => {
      const values = valuesOf(label, await inTime(asked()));
      return { type, name, help, aggregator: 'sum', values };
    };
    registry.registerMetric({ name, help, type, aggregator: 'sum', get } as unknown as PromMetric);
  }

  return {
    counter: <M extends Typed<'counter'>>(metric: M) => new Counter<Of<M>>(options(metric) as never),
    histogram: <M extends Typed<'histogram'>>(metric: M) =>
      new Histogram<Of<M>>({ ...options(metric), buckets: [...(metric.buckets ?? [])] } as never),
    lookUp,
    figures: async (): Promise<Figures> => (await registry.getMetricsAsJSON()) as unknown as Figures,
  };
}

function valuesOf(label: string | undefined, figure: Figure): FigureValue[] {
  if (figure === undefined) return [];
  if (typeof figure === 'number') return [{ value: figure, labels: {} }];
  return Object.entries(figure).map(([of, value]) => ({ value, labels: { [label as string]: of } }));
}

/** Undefined where it fails: that is seen by the figure's absence, and said in the log by those who cannot do without what was asked. */
async function inTime(asked: Promise<Figure>): Promise<Figure> {
  const over = new AbortController();
  const late = pause(LOOK_UP_MS, over.signal).then(() => undefined);
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    over.abort();
  }
}
