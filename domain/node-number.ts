import type { Facts } from './fact.ts';

export type NodeNumberFact = Facts<{
  NodeNumberTaken: { number: number; node: string; at: string };
  NodeNumberReleased: { number: number; node: string };
}>;

export type NodeNumber =
  | { readonly status: 'free' }
  | { readonly status: 'taken'; readonly node: string; readonly atMs: number };

export const FREE_NODE_NUMBER: NodeNumber = { status: 'free' };

export function evolveNodeNumber(_: NodeNumber, fact: NodeNumberFact): NodeNumber {
  switch (fact.type) {
    case 'NodeNumberTaken':
      return { status: 'taken', node: fact.data.node, atMs: Date.parse(fact.data.at) };
    case 'NodeNumberReleased':
      return FREE_NODE_NUMBER;
  }
}

const HOUR_MS = 3_600_000;

/**
 * Times of a number, in ms: how often its node takes it again; for how long that one makes ids with it; and from when on another may take it. What lies
 * between is far more than clocks differ by.
 */
export const NODE_NUMBER_MS = { again: 6 * HOUR_MS, used: 12 * HOUR_MS, kept: 24 * HOUR_MS } as const;

/** Whether a node may take a number: it is free, the node's own, or its node has not taken it again for long. */
export function mayTake(number: NodeNumber, node: string, atMs: number): boolean {
  return number.status === 'free' || number.node === node || atMs - number.atMs > NODE_NUMBER_MS.kept;
}
