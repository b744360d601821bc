import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { accept } from './accept.ts';
import { channels } from './channels.ts';
import { cluster } from './cluster.ts';
import { deliver } from './deliver.ts';
import { engines } from './engines.ts';
import { fanOut } from './fan-out.ts';
import { type Figures, table } from './figures.ts';
import { history } from './history.ts';
import { isolation } from './isolation.ts';
import { isolationMany } from './isolation-many.ts';
import { lists } from './lists.ts';
import { describeMachine } from './machine.ts';
import { outages } from './outages.ts';
import { overload } from './overload.ts';
import { payloads } from './payloads.ts';
import { reconcile } from './reconcile.ts';
import { simulate } from './simulate.ts';
import { storm } from './storm.ts';
import { verdicts } from './targets.ts';
import { timers } from './timers.ts';

const BENCHES = {
  ...{ engines, accept, deliver, 'fan-out': fanOut, payloads, channels, storm, history },
  ...{ isolation, 'isolation-many': isolationMany, timers, reconcile, overload, outages, cluster, simulate, lists },
};

/** What is measured where nothing is named: all that something is asked of; for development, what takes two minutes. */
const ALL = ['engines', 'accept', 'deliver', 'fan-out', 'payloads', 'channels', 'storm', 'history'];
const QUICK = ['accept', 'deliver'];

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    ...{ rate: { type: 'string' }, json: { type: 'string' }, seed: { type: 'string' } },
  },
  allowPositionals: true,
});

const names = positionals.length > 0 ? positionals : values.quick ? QUICK : ALL;
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}

const number = (value: string | undefined) => (value === undefined ? undefined : Number(value));
const options = { quick: values.quick, rate: number(values.rate), seed: number(values.seed) };
if (options.rate !== undefined && !(options.rate > 0)) {
  console.error(`--rate takes a number of events a second, not "${values.rate}"`);
  process.exit(1);
}

if (options.seed !== undefined && !Number.isSafeInteger(options.seed)) {
  console.error(`--seed takes a whole number, not "${values.seed}"`);
  process.exit(1);
}

const machine = describeMachine();
const results: Record<string, Figures> = {};
for (const name of names) {
  const figures = await BENCHES[name as keyof typeof BENCHES](options);
  results[name] = figures;
  console.log(`\n${name}\n${table(figures)}`);
}
const asked = verdicts(Object.assign({}, ...Object.values(results)));
if (asked.length > 0) console.log(`\nasked for\n${asked.join('\n')}`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, ...results }, null, 2)}\n`);
