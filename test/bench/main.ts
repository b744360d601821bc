import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isolation } from './isolation.ts';
import { throughput } from './throughput.ts';
import { timers } from './timers.ts';

const BENCHES = { throughput, isolation, timers };

const { values: options, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  allowPositionals: true,
});

const names = positionals.length > 0 ? positionals : ['throughput'];
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}

const results: Record<string, Record<string, number>> = {};
for (const name of names) {
  const figures = await BENCHES[name as keyof typeof BENCHES](options);
  results[name] = figures;
  console.log(`\n${name}`);
  for (const [figure, value] of Object.entries(figures)) {
    console.log(`  ${figure.padEnd(40)} ${Number.isInteger(value) ? value : value.toFixed(3)}`);
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
