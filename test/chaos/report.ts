import type { Verdict } from './round.ts';

/** How many of all deliveries may be made again because of a crash between POST and append. */
const DUPLICATES = 0.001;
/** Violations that are shown of one round. */
const SHOWN = 10;

const COLUMNS = [
  { name: 'seed', width: 9 },
  { name: 'faults', width: 7 },
  { name: 'accepted', width: 9 },
  { name: 'POSTs', width: 8 },
  { name: 'duplicates', width: 12 },
  { name: 'settled', width: 9 },
  { name: 'restored', width: 10 },
] as const;

export const HEADER = `${row(COLUMNS.map(({ name }) => name))}   verdict`;

/** One round in one line; what it found, where it found something, in the lines below. */
export function told(seed: number, verdict: Verdict): string {
  const { violations, counts, faults, settledMs, restored } = verdict;
  const posts = restored ? `+${restored.hits}` : '';
  const cells = [seed, faults.length, counts.accepted, counts.hits, counts.duplicates, seconds(settledMs), posts];
  const failure = violations.length === 1 ? 'FAILED: 1 violation' : `FAILED: ${violations.length} violations`;
  const line = `${row(cells)}   ${violations.length === 0 ? 'passed' : failure}`;
  return [line, ...causesOf(verdict), ...violationsOf(verdict)].join('\n');
}

function causesOf({ counts: { causes, backlogged } }: Verdict): string[] {
  const parts = Object.entries(causes).map(([what, count]) => `${count} by ${what}`);
  if (parts.length === 0) return [];
  return [`          duplicates: ${parts.join(', ')}${backlogged > 0 ? `; ${backlogged} of them amid a backlog` : ''}`];
}

function violationsOf({ violations, keptIn }: Verdict): string[] {
  const byRule = [...Map.groupBy(violations, ({ rule }) => rule)];
  return [
    ...byRule.map(([rule, { length }]) => `  ${length} × ${rule}`),
    ...violations.slice(0, SHOWN).map(({ rule, detail }) => `  ${rule}: ${detail.slice(0, 1_500)}`),
    ...(keptIn ? [`  everything is in ${keptIn}`] : []),
  ];
}

/** All rounds together, and whether so many deliveries made twice are few enough. */
export function summary(verdicts: readonly Verdict[]): { text: string; isFine: boolean } {
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0);
  const deliveries = sum(({ counts }) => counts.deliveries);
  const twice = sum(({ counts }) => counts.duplicates);
  const amidNone = twice - sum(({ counts }) => counts.backlogged);
  const rate = amidNone / Math.max(1, deliveries);
  const kinds = [
    ...Map.groupBy(
      verdicts.flatMap(({ faults }) => faults),
      (kind) => kind,
    ),
  ]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([kind, { length }]) => `${length} ${kind}`);
  const restored = verdicts.flatMap((verdict) => verdict.restored ?? []);
  const of = (name: 'pending' | 'hits' | 'repeated') => restored.reduce((total, counts) => total + counts[name], 0);
  const text = [
    `${verdicts.length} rounds: ${sum(({ counts }) => counts.accepted)} events, ${deliveries} deliveries, ${sum(({ counts }) => counts.hits)} POSTs`,
    `faults: ${kinds.join(', ')}`,
    `duplicates: ${twice} (${percent(twice / Math.max(1, deliveries))} of deliveries), each by a death of delivery; ${amidNone} (${percent(rate)}) when there was no backlog, of at most ${percent(DUPLICATES)}`,
    `restored: ${restored.length} backups with ${of('pending')} deliveries pending; ${of('hits')} POSTs, ${of('repeated')} of what had been delivered after the backup`,
    `settled in ${seconds(Math.max(...verdicts.map(({ settledMs }) => settledMs)))} at the most`,
  ].join('\n');
  // Few deliveries say little about so small a rate.
  return { text, isFine: deliveries * DUPLICATES <= 10 || rate <= DUPLICATES };
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => `${cell}`.padStart(COLUMNS[index]?.width ?? 0)).join('');
}

const percent = (part: number) => `${(part * 100).toFixed(3)} %`;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
