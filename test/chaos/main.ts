import { parseArgs } from 'node:util';
import { runRound, type Verdict } from './round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  },
});
const [rounds, seconds, firstSeed] = [values.rounds, values.seconds, values.seed].map(wholeNumber) as [
  number,
  number,
  number,
];
/** Violations that are shown of one round. */
const SHOWN = 10;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));
/** How many of all deliveries may be made again because of a crash between POST and append. */
const DUPLICATES = 0.001;
const total = { deliveries: 0, duplicates: 0 };

for (let round = 0; round < rounds; round++) {
  const seed = firstSeed + round;
  console.log(`round ${round + 1} of ${rounds}, seed ${seed}, ${seconds} s`);
  const verdict = await runRound({ seed, seconds, say: (line) => console.log(`  ${line}`) });
  tell(verdict);
  if (verdict.violations.length === 0) continue;
  console.log(`  the same again: npm run chaos -- --seed ${seed} --seconds ${seconds}`);
  process.exit(1);
}
const rate = total.duplicates / Math.max(1, total.deliveries);
console.log(`${rounds} rounds passed; ${percent(rate)} of deliveries made twice by a crash when there was no backlog`);
// Few deliveries say little about so small a rate.
process.exit(total.deliveries * DUPLICATES > 10 && rate > DUPLICATES ? 1 : 0);

function tell({ violations, counts, keptIn }: Verdict): void {
  const { accepted, facts, deliveries, hits, duplicates, backlogged, unrecorded, late } = counts;
  total.deliveries += deliveries;
  total.duplicates += duplicates - backlogged;
  console.log(`  ${accepted} events accepted, ${facts} facts, ${deliveries} deliveries, ${hits} POSTs`);
  console.log(
    `  ${duplicates} duplicates (${percent(duplicates / deliveries)}; ${backlogged} amid a backlog), ${unrecorded} POSTs unrecorded, ${late} late`,
  );
  console.log(violations.length === 0 ? '  passed' : `  FAILED: ${violations.length} violations`);
  const byRule = Map.groupBy(violations, ({ rule }) => rule);
  for (const [rule, { length }] of byRule) console.log(`    ${length} × ${rule}`);
  for (const { rule, detail } of violations.slice(0, SHOWN)) console.log(`    ${rule}: ${detail.slice(0, 1_500)}`);
  if (keptIn) console.log(`  everything is in ${keptIn}`);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(3)} %`;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--rounds, --seconds and --seed are whole numbers, not "${text}"`);
  process.exit(1);
}
