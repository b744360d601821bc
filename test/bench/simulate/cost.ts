import { ASSUMED, type Prices } from './assumed.ts';
import { type CellShape, isRelayApart, totalMs } from './capacity.ts';
import { MEASURED } from './measured.ts';

const MILLION = 1_000_000;
const GIB = 2 ** 30;
const DAYS_OF_MONTH = 30;
const MS_OF_SECOND = 1_000;
const MS_OF_HOUR = 3_600_000;
/** Servers that keep each fact, and each message. */
const REPLICAS = 3;

/** What a million deliveries take. */
export interface Cost {
  /** In use under full load; and all that is there, at what the cell is given to carry. */
  readonly core_hours_used: number;
  readonly core_hours_paid: number;
  /** In the log, on all its servers together; and in the read models, on all nodes. */
  readonly log_gib: number;
  readonly read_models_gib: number;
  /** To receivers; between our machines. */
  readonly sent_out_gib: number;
  readonly sent_inside_gib: number;
  /** In the currency of the prices, disk for as long as facts are kept. */
  readonly price: number;
}

/** All cores of a cell, three servers of each engine. */
export const coresOf = ({ nodes, nodeCores, engineCores }: CellShape): number =>
  nodes * nodeCores + 2 * REPLICAS * engineCores;

/** @param eventsPerS what the cell is given to carry */
export function costOfMillion(shape: CellShape, prices: Prices, eventsPerS: number): Cost {
  const { nodes, fanOut, attempts, layout } = shape;
  const { storedFactBytes, projectedBytes, sentFactBytes, queuedBytes } = MEASURED;
  /** Of a delivery: its attempts, and its part of its event. */
  const facts = attempts + 1 / fanOut;
  const core_hours_used = (totalMs(shape) / fanOut) * (MILLION / MS_OF_HOUR);
  const log_gib = (facts * storedFactBytes * REPLICAS * MILLION) / GIB;
  const read_models_gib = (projectedBytes * nodes * MILLION) / GIB;
  const sent_out_gib = (attempts * (sentFactBytes + ASSUMED.postOverheadBytes) * MILLION) / GIB;
  /** A fact goes to the leading server, from there to two others, and to each projector; publications to each relay that is a process of its own, too. */
  const factCopies = facts * (REPLICAS + nodes) + (isRelayApart(layout) ? nodes / fanOut : 0);
  /** A message goes to the leading server, from there to two others, and to a worker. */
  const messages = attempts * (REPLICAS + 1);
  const sent_inside_gib = ((factCopies * sentFactBytes + messages * queuedBytes) * MILLION) / GIB;
  const core_hours_paid = ((coresOf(shape) / (eventsPerS * fanOut)) * MILLION * MS_OF_SECOND) / MS_OF_HOUR;
  const months = ASSUMED.keptDays / DAYS_OF_MONTH;
  const price =
    core_hours_paid * prices.coreHour +
    (log_gib + read_models_gib) * months * prices.gibMonth +
    sent_out_gib * prices.gibSentOut;
  return { core_hours_used, core_hours_paid, log_gib, read_models_gib, sent_out_gib, sent_inside_gib, price };
}
