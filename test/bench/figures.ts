/** What repeated measurements said. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
}

/** What a bench found, by name. */
export type Figures = Record<string, number | Spread>;

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), samples: values.length };
}

/** The mean of the two in the middle, where there are two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function table(figures: Figures): string {
  const line = ([name, figure]: [string, number | Spread]) => `  ${name.padEnd(40)} ${shown(figure)}`;
  return Object.entries(figures).map(line).join('\n');
}

function shown(figure: number | Spread): string {
  if (typeof figure === 'number') return rounded(figure);
  return `${rounded(figure.median)} (${rounded(figure.min)} to ${rounded(figure.max)})`;
}

/** What small figures need to be told from 0. */
const SMALL = 0.1;

function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < SMALL ? value.toPrecision(3) : value.toFixed(3);
}
