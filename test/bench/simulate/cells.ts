import { ASSUMED } from './assumed.ts';
import { REPLICATING } from './capacity.ts';
import { type Outcome, simulateCell } from './cell/cell.ts';
import type { CellSetting, Costs } from './cell/setting.ts';

/** Requests that publishers have under way at a time where as much is published as is accepted. */
const WIDTH = 1_024;

export interface Run {
  readonly costs: Costs;
  readonly nodes: number;
  /** Absent: as many as assumed. */
  readonly nodeCores?: number;
  readonly relayApart?: boolean;
  /** Shares of webhooks that are ill; absent: none. */
  readonly failing?: number;
  readonly hanging?: number;
  readonly durationMs: number;
  readonly seed: number;
}

/** A cell as it is installed: every node and every engine's leader on cores of its own, receivers elsewhere. */
const installed = ({ nodeCores = ASSUMED.cores, ...run }: Run): Omit<CellSetting, 'load'> => ({
  ...{ channels: 1_000, webhooksEach: 1, exponent: 1, answerMs: ASSUMED.answerMs },
  ...{ relayApart: false, failing: 0, hanging: 0, ...run },
  machines: {
    ...{ kind: 'many', nodeCores, storeCores: ASSUMED.cores, brokerCores: ASSUMED.cores },
    ...{ networkMs: ASSUMED.networkMs, replicating: REPLICATING },
  },
});

/** As much as a cell accepts, evenly to all channels, until all of it is delivered and folded. @returns deliveries/s */
export function maximalPerS(run: Run): number {
  const { delivered, settledMs } = simulateCell({ ...installed(run), load: { kind: 'closed', width: WIDTH } });
  return (delivered / settledMs) * 1_000;
}

/** Events at random times, and to channels of very different popularity. */
export const atRate = (run: Run, perS: number): Outcome =>
  simulateCell({ ...installed(run), load: { kind: 'random', perS } });
