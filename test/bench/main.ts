import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cluster } from './cluster.ts';
import { type Figures, table } from './figures.ts';
import { isolation } from './isolation.ts';
import { isolationMany } from './isolation-many.ts';
import { describeMachine } from './machine.ts';
import { outages } from './outages.ts';
import { overload } from './overload.ts';
import { reconcile } from './reconcile.ts';
import { throughput } from './throughput.ts';
import { timers } from './timers.ts';

const BENCHES = {
  ...{ throughput, isolation, 'isolation-many': isolationMany, timers, reconcile, overload, outages, cluster },
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rate: { type: 'string' }, json: { type: 'string' } },
  allowPositionals: true,
});

const names = positionals.length > 0 ? positionals : ['throughput'];
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}

const options = { quick: values.quick, rate: values.rate === undefined ? undefined : Number(values.rate) };
if (options.rate !== undefined && !(options.rate > 0)) {
  console.error(`--rate takes a number of events a second, not "${values.rate}"`);
  process.exit(1);
}

const machine = describeMachine();
const results: Record<string, Figures> = {};
for (const name of names) {
  const figures = await BENCHES[name as keyof typeof BENCHES](options);
  results[name] = figures;
  console.log(`\n${name}\n${table(figures)}`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, ...results }, null, 2)}\n`);
