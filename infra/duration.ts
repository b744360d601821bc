const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A duration as it is written, such as `15s`, in ms; undefined where it is none. */
export function durationOf(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,10})(ms|s|m|h)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
