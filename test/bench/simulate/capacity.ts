import { NODES } from '../../../domain/ids.ts';
import { SHARDS } from '../../../infra/queue/shards.ts';
import { ASSUMED } from './assumed.ts';
import { MEASURED, PARTS, STORE_PARTS } from './measured.ts';

/** What is in a cell, and what an event makes of work. */
export interface CellShape {
  readonly nodes: number;
  readonly nodeCores: number;
  /** Of the leading server of each engine. */
  readonly engineCores: number;
  /** Webhooks an event goes to. */
  readonly fanOut: number;
  /** POSTs a delivery takes; 1 where all are answered at once. */
  readonly attempts: number;
  /** Which roles share a process: one thread, one core. */
  readonly layout: Layout;
}

type Role = 'gateway' | 'delivery' | 'projector' | 'relay';

/** `one`: what `node services/main.ts` and the image start; `start`: what `npm start` does; `four`: each role alone. */
const LAYOUTS = {
  one: [['gateway', 'delivery', 'projector', 'relay']],
  start: [['gateway'], ['delivery'], ['projector', 'relay']],
  four: [['gateway'], ['delivery'], ['projector'], ['relay']],
} as const satisfies Record<string, readonly (readonly Role[])[]>;
export type Layout = keyof typeof LAYOUTS;

export const USUAL: Omit<CellShape, 'nodes'> = {
  ...{ nodeCores: ASSUMED.cores, engineCores: ASSUMED.cores },
  ...{ fanOut: 1, attempts: 1, layout: 'start' },
};

/** Whether relays follow the log by themselves: those that share a process with a projector follow it together. */
export const isRelayApart = (layout: Layout): boolean =>
  LAYOUTS[layout].some((roles: readonly Role[]) => roles.includes('relay') && !roles.includes('projector'));

/** Something that an event needs for so long, of which there are so many. */
export interface Resource {
  readonly name: string;
  readonly servers: number;
  /** CPU of an event, in ms. */
  readonly demandMs: number;
}

/** How many events a second a resource lets through: the utilization law (Denning and Buzen, 1978), U = X · D, at U = 1. */
export const boundPerS = ({ servers, demandMs }: Resource): number => (servers / demandMs) * 1_000;

/** What a server that others follow costs by what it costs alone. */
export const REPLICATING = (ASSUMED.leadersShare * MEASURED.brokersMs) / MEASURED.fullLoadMs.broker;

/** CPU of an event by what it is spent on, in ms: each as under full load, when much is done at a time. */
export function demands({ nodes, fanOut, attempts, layout }: CellShape) {
  const { fullLoadMs } = MEASURED;
  const isApart = isRelayApart(layout);
  const readEventMs = isApart ? PARTS.readEventMs : 0;
  const posts = fanOut * attempts;
  const facts = 1 + posts;
  return {
    gatewayMs: fullLoadMs.gateway,
    /** Each node folds every fact. */
    foldMs: PARTS.foldEventMs + posts * PARTS.foldDeliveryMs,
    relayMs: readEventMs + fanOut * PARTS.publishMs,
    standbyMs: readEventMs,
    deliveryMs: posts * fullLoadMs.delivery,
    appendMs: REPLICATING * STORE_PARTS.appendMs * facts,
    /** Every fact to every projector, and every publication to every relay that is a process of its own. */
    followedMs: STORE_PARTS.giveMs * nodes * (facts + (isApart ? 1 : 0)),
    /** What failed is published once more, to its slot, and handed out from there: about twice the cost of a live one (decision 4). */
    brokerMs: REPLICATING * fullLoadMs.broker * (fanOut + 2 * (posts - fanOut)),
  };
}

/** What bounds a cell, what is used up first first: of the nodes, that whose relay leads and that has the most shards. */
export function resources(shape: CellShape): Resource[] {
  const { nodes, nodeCores, engineCores, layout, fanOut, attempts } = shape;
  const of = demands(shape);
  const workers = Math.min(nodes, SHARDS);
  const roles: Record<Role, number> = {
    gateway: of.gatewayMs / Math.min(nodes, NODES),
    delivery: of.deliveryMs * (Math.ceil(SHARDS / workers) / SHARDS),
    projector: of.foldMs,
    relay: of.relayMs,
  };
  const ms = (some: readonly Role[]) => some.reduce((sum, role) => sum + roles[role], 0);
  const one = (name: string, demandMs: number): Resource => ({ name, servers: 1, demandMs });
  return [
    ...LAYOUTS[layout].map((some) => one(some.join('+'), ms(some))),
    { name: 'node_cores', servers: nodeCores, demandMs: ms(LAYOUTS[layout].flat()) },
    one('store_writer', of.appendMs),
    { name: 'store_cores', servers: engineCores, demandMs: of.appendMs + of.followedMs },
    { name: 'broker_cores', servers: engineCores, demandMs: of.brokerMs },
    one('broker_stream', (1_000 / MEASURED.keptPerS) * (fanOut * (2 * attempts - 1))),
  ].toSorted((a, b) => boundPerS(a) - boundPerS(b));
}

/** What the first of them lets through, events/s. */
export function capacityPerS(shape: CellShape): number {
  const [first] = resources(shape);
  if (!first) throw new RangeError('a cell without resources');
  return boundPerS(first);
}

/** CPU of an event in all machines of a cell, three servers of each engine, in ms. */
export function totalMs(shape: CellShape): number {
  const of = demands(shape);
  const { nodes } = shape;
  const engines = (of.appendMs + of.brokerMs) / ASSUMED.leadersShare + of.followedMs;
  return of.gatewayMs + nodes * of.foldMs + of.relayMs + (nodes - 1) * of.standbyMs + of.deliveryMs + engines;
}
