import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const ROOT = join(import.meta.dirname, '../../../..');
const CELL = 'test/bench/simulate/cell';

/** What the simulation repeats of the product, which keeps it to itself. */
const REPEATED: readonly (readonly [name: string, product: string, model: string])[] = [
  ['MAX_FACTS', 'infra/event-store/coalescer.ts', `${CELL}/coalescer.ts`],
  ['BATCH', 'infra/event-store/follow.ts', `${CELL}/log-readers.ts`],
  ['IN_HAND', 'services/delivery/delivery.ts', `${CELL}/delivery.ts`],
  ['AHEAD', 'services/delivery/delivery.ts', `${CELL}/delivery.ts`],
  ['LEFT', 'infra/queue/pulls.ts', `${CELL}/delivery.ts`],
  ['LOOK_MS', 'projections/progress.ts', `${CELL}/delivery.ts`],
];

describe('what the simulated cell repeats of the product', () => {
  for (const [name, product, model] of REPEATED) {
    it(`is still what it is there: ${name} in ${product}`, () => {
      expect(constant(name, model)).to.equal(constant(name, product));
    });
  }
});

function constant(name: string, file: string): string {
  const [, value] = new RegExp(`^const ${name} = (.+);$`, 'm').exec(readFileSync(join(ROOT, file), 'utf8')) ?? [];
  if (value === undefined) throw new Error(`${file} has no ${name}`);
  return value;
}
