import { type Cores, createCores } from '../cores.ts';
import type { Timeline } from '../timeline.ts';
import type { CellSetting } from './setting.ts';

/** Who runs where, and how far it is from one to the other. */
export interface Machines {
  readonly timeline: Timeline;
  /** All there are. */
  readonly cores: readonly Cores[];
  /** Those of a node. */
  readonly coresOf: (node: number) => Cores;
  readonly storeCores: Cores;
  readonly brokerCores: Cores;
  /** Those that load generator and receiver take from; absent: they are elsewhere. */
  readonly outsideCores: Cores | undefined;
  readonly isSpread: boolean;
  /** From one process to another, in ms; on one machine that is in what they cost. */
  readonly hopMs: number;
  /** Until another server has it too. */
  readonly quorumMs: number;
  readonly replicating: number;
}

export function createMachines(timeline: Timeline, { machines, nodes }: CellSetting): Machines {
  if (machines.kind === 'one') {
    const all = createCores(timeline, machines.cores);
    const shared = { coresOf: () => all, storeCores: all, brokerCores: all };
    return {
      timeline,
      cores: [all],
      ...shared,
      outsideCores: all,
      isSpread: false,
      hopMs: 0,
      quorumMs: 0,
      replicating: 1,
    };
  }
  const { networkMs, replicating } = machines;
  const nodeCores = Array.from({ length: nodes }, () => createCores(timeline, machines.nodeCores));
  const storeCores = createCores(timeline, machines.storeCores);
  const brokerCores = createCores(timeline, machines.brokerCores);
  return {
    ...{ timeline, cores: [...nodeCores, storeCores, brokerCores], storeCores, brokerCores },
    coresOf: (node) => nodeCores[node] as Cores,
    outsideCores: undefined,
    isSpread: true,
    hopMs: networkMs,
    quorumMs: 2 * networkMs,
    replicating,
  };
}
