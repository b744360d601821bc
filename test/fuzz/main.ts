import { parseArgs } from 'node:util';
import { startFuzz } from './rounds.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '' },
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  },
});
const [minutes, runs, firstSeed] = [values.minutes, values.runs, values.seed].map(wholeNumber) as [
  number,
  number,
  number,
];
const rounds = values.rounds === '' ? Number.POSITIVE_INFINITY : wholeNumber(values.rounds);
/** Caches are full by then. */
const WARM_ROUNDS = 3;

console.log(
  `${rounds === Number.POSITIVE_INFINITY ? `${minutes} minutes` : `${rounds} rounds`} of ${runs} runs, from seed ${firstSeed}`,
);
const fuzz = await startFuzz();
let isStopping = false;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => {
    isStopping = true;
  });
}
const isFine = await play();
await fuzz.stop();
process.exit(isFine ? 0 : 1);

async function play(): Promise<boolean> {
  const beganMs = performance.now();
  const isOver = (done: number) =>
    isStopping ||
    done >= rounds ||
    (rounds === Number.POSITIVE_INFINITY && performance.now() - beganMs > minutes * 60_000);
  let done = 0;
  for (; !isOver(done); done++) {
    const seed = firstSeed + done;
    try {
      await fuzz.round(seed, runs);
    } catch (error) {
      console.log(`seed ${seed}: ${(error as Error).message}`);
      console.log(`the same again: npm run fuzz -- --seed ${seed} --rounds 1 --runs ${runs}`);
      return false;
    }
    if (done + 1 === WARM_ROUNDS) fuzz.isWarm();
    console.log(`seed ${seed}: fine after ${Math.round((performance.now() - beganMs) / 1_000)} s; ${fuzz.memory()}`);
  }
  console.log(`${done} rounds of ${runs} runs: never a fault, a crash or a hang, and memory stayed where it was`);
  return true;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--minutes, --rounds, --runs and --seed are whole numbers, not "${text}"`);
  process.exit(1);
}
