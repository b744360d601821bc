import type { Random } from '../../support/random.ts';
import { zipfShares } from './zipf.ts';

/** `hash`: by its id alone; `two_choices`: the one of two that has less now; both when the channel is made, whatever it becomes. */
export type Policy = 'hash' | 'two_choices';

export interface PlacementSetting {
  readonly cells: number;
  readonly channelsPerCell: number;
  /** How unevenly events go to channels: the exponent of their Zipf distribution. */
  readonly exponent: number;
  readonly policy: Policy;
  /** What a cell can carry, by what it has on average. */
  readonly room: number;
  readonly random: Random;
}

/** Sizes are by what a cell has on average: 1 is that. */
export interface Placement {
  readonly largest_channel: number;
  /** Channels that no cell can carry, the share of all events that is theirs, and the cells that they take, divided. */
  readonly giants: number;
  readonly giants_share: number;
  readonly giants_cells: number;
  /** Of the cells that all others are placed on: the fullest and the 99th of a hundred, by their mean. */
  readonly fullest_to_mean: number;
  readonly p99_to_mean: number;
  /** The share of these cells that has more than it can carry. */
  readonly overfull_share: number;
  /** Channels moved until none has, where that can be; and the share that still has. */
  readonly moves: number;
  readonly overfull_after_share: number;
  /** What the loss of one cell takes, at the most, as a share of all events. */
  readonly blast_share: number;
}

/** Places channels, made in random order, onto cells. Those too large for any get cells of their own, over which they are divided. */
export function place({ cells, channelsPerCell, exponent, policy, room, random }: PlacementSetting): Placement {
  const sizes = zipfShares(cells * channelsPerCell, exponent).map((share) => share * cells);
  const firstSmall = sizes.findIndex((size) => size <= room);
  const giants = firstSmall === -1 ? sizes.length : firstSmall;
  const giantsSize = sum(sizes.subarray(0, giants));
  const giantsCells = Math.min(cells - 1, Math.ceil(giantsSize));
  const open = cells - giantsCells;
  const loads = new Float64Array(open);
  const homes = new Uint32Array(sizes.length);
  for (const channel of shuffled(giants, sizes.length, random)) {
    const cell = choose(loads, policy, random);
    homes[channel] = cell;
    loads[cell] = (loads[cell] as number) + (sizes[channel] as number);
  }
  const mean = sum(loads) / open;
  const sorted = loads.toSorted();
  const fullest = sorted.at(-1) ?? 0;
  const overfull = loads.filter((load) => load > room).length;
  const { moves, left } = relieve({ loads: loads.slice(), homes, sizes, giants, room });
  return {
    largest_channel: sizes[0] ?? 0,
    ...{ giants, giants_share: giantsSize / cells, giants_cells: giantsCells },
    ...{ fullest_to_mean: fullest / mean, p99_to_mean: (sorted[Math.floor(open * 0.99)] ?? 0) / mean },
    ...{ overfull_share: overfull / open, moves, overfull_after_share: left / open },
    blast_share: Math.max(fullest, giants > 0 ? giantsSize / giantsCells : 0) / cells,
  };
}

function choose(loads: Float64Array, policy: Policy, random: Random): number {
  const any = () => Math.floor(random.next() * loads.length);
  const first = any();
  if (policy === 'hash') return first;
  const second = any();
  return (loads[second] as number) < (loads[first] as number) ? second : first;
}

/** What moves leave and make, at the most, as a share of what a cell can carry. */
const COMFORT = 0.9;

/** Moves channels of cells that have too much, the largest that have room there, to the emptier half of the cells in turn, until none has. */
function relieve(given: {
  readonly loads: Float64Array;
  readonly homes: Uint32Array;
  readonly sizes: Float64Array;
  readonly giants: number;
  readonly room: number;
}): { readonly moves: number; readonly left: number } {
  const { loads, homes, sizes, giants, room } = given;
  const load = (cell: number) => loads[cell] as number;
  const emptier = [...loads.keys()].sort((a, b) => load(a) - load(b)).slice(0, Math.ceil(loads.length / 2));
  const tooFull = new Set([...loads.keys()].filter((cell) => load(cell) > room));
  let moves = 0;
  let turn = 0;
  // Channels are in the order of their sizes.
  for (let channel = giants; channel < sizes.length && tooFull.size > 0; channel++) {
    const from = homes[channel] as number;
    if (!tooFull.has(from)) continue;
    const size = sizes[channel] as number;
    const to = emptier[turn++ % emptier.length] as number;
    if (load(to) + size > room * COMFORT) continue;
    loads[to] = load(to) + size;
    loads[from] = load(from) - size;
    moves += 1;
    if (load(from) <= room * COMFORT) tooFull.delete(from);
  }
  return { moves, left: loads.filter((one) => one > room).length };
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** The whole numbers from `first` to below `end`, in random order (Fisher and Yates). */
function shuffled(first: number, end: number, random: Random): Uint32Array {
  const list = Uint32Array.from({ length: end - first }, (_, index) => first + index);
  for (let index = list.length - 1; index > 0; index--) {
    const other = Math.floor(random.next() * (index + 1));
    const value = list[index] as number;
    list[index] = list[other] as number;
    list[other] = value;
  }
  return list;
}
