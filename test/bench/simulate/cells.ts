import { ASSUMED } from './assumed.ts';
import { REPLICATING } from './capacity.ts';
import { type Outcome, simulateCell } from './cell/cell.ts';
import type { CellSetting, Costs } from './cell/setting.ts';

/** A cell as it is installed: every node and every engine's leader on cores of its own, receivers elsewhere. */
const INSTALLED = {
  machines: {
    ...{ kind: 'many', nodeCores: ASSUMED.cores, storeCores: ASSUMED.cores, brokerCores: ASSUMED.cores },
    ...{ networkMs: ASSUMED.networkMs, replicating: REPLICATING },
  },
  ...{
    relayApart: false,
    channels: 1_000,
    webhooksEach: 1,
    exponent: 1,
    failing: 0,
    hanging: 0,
    answerMs: ASSUMED.answerMs,
  },
} as const satisfies Partial<CellSetting>;

/** Requests that publishers have under way at a time where as much is published as is accepted. */
const WIDTH = 1_024;

export interface Run {
  readonly costs: Costs;
  readonly nodes: number;
  readonly relayApart?: boolean;
  readonly durationMs: number;
  readonly seed: number;
}

/** As much as a cell accepts, evenly to all channels, until all of it is delivered and folded. @returns deliveries/s */
export function maximalPerS(run: Run): number {
  const { delivered, settledMs } = simulateCell({ ...INSTALLED, ...run, load: { kind: 'closed', width: WIDTH } });
  return (delivered / settledMs) * 1_000;
}

/** Events at random times, and to channels of very different popularity. */
export function atRate(run: Run, perS: number, ill: Partial<Pick<CellSetting, 'failing' | 'hanging'>> = {}): Outcome {
  return simulateCell({ ...INSTALLED, ...run, ...ill, load: { kind: 'random', perS } });
}
