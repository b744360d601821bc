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
for (let round = 0; round < rounds; round++) {
  const seed = firstSeed + round;
  console.log(`round ${round + 1} of ${rounds}, seed ${seed}, ${seconds} s`);
  const verdict = await runRound({ seed, seconds, say: (line) => console.log(`  ${line}`) });
  tell(verdict);
  if (verdict.violations.length === 0) continue;
  console.log(`  the same again: npm run chaos -- --seed ${seed} --seconds ${seconds}`);
  process.exit(1);
}
process.exit(0);

function tell({ violations, counts, keptIn }: Verdict): void {
  const { accepted, facts, deliveries, hits, duplicates, unrecorded, late } = counts;
  const rate = ((duplicates / Math.max(1, deliveries)) * 100).toFixed(3);
  console.log(`  ${accepted} events accepted, ${facts} facts, ${deliveries} deliveries, ${hits} POSTs`);
  console.log(
    `  ${duplicates} duplicates (${rate} %), ${unrecorded} POSTs unrecorded, ${late} late: each explained by a fault`,
  );
  console.log(violations.length === 0 ? '  passed' : `  FAILED: ${violations.length} violations`);
  const byRule = Map.groupBy(violations, ({ rule }) => rule);
  for (const [rule, { length }] of byRule) console.log(`    ${length} × ${rule}`);
  for (const { rule, detail } of violations.slice(0, SHOWN)) console.log(`    ${rule}: ${detail.slice(0, 1_500)}`);
  if (keptIn) console.log(`  everything is in ${keptIn}`);
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--rounds, --seconds and --seed are whole numbers, not "${text}"`);
  process.exit(1);
}
