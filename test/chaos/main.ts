import { parseArgs } from 'node:util';
import { HEADER, summary, told } from './report.ts';
import { runRound, type Verdict } from './round.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    verbose: { type: 'boolean', default: false },
  },
});
const [rounds, seconds, firstSeed] = [values.rounds, values.seconds, values.seed].map(wholeNumber) as [
  number,
  number,
  number,
];

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));
const verdicts: Verdict[] = [];

console.log(`${rounds} rounds of ${seconds} s, seeds ${firstSeed} to ${firstSeed + rounds - 1}\n${HEADER}`);
for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
  const verdict = await play(seed);
  verdicts.push(verdict);
  if (verdict.violations.length > 0) process.exit(1);
}
const { text, isFine } = summary(verdicts);
console.log(`\n${text}`);
process.exit(isFine ? 0 : 1);

/** What happens in a round is told as it happens where that was asked for, else where the round fails. */
async function play(seed: number): Promise<Verdict> {
  const lines: string[] = [];
  const say = (line: string) => void (values.verbose ? console.log(`  ${line}`) : lines.push(`  ${line}`));
  const again = () => console.log(`  the same again: npm run chaos -- --seed ${seed} --seconds ${seconds} --verbose`);
  try {
    const verdict = await runRound({ seed, seconds, say });
    if (verdict.violations.length > 0) for (const line of lines) console.log(line);
    console.log(told(seed, verdict));
    if (verdict.violations.length > 0) again();
    return verdict;
  } catch (error) {
    for (const line of lines) console.log(line);
    again();
    throw error;
  }
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--rounds, --seconds and --seed are whole numbers, not "${text}"`);
  process.exit(1);
}
