import { ASSUMED, type Prices } from './assumed.ts';
import { type CellShape, totalMs } from './capacity.ts';
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
  readonly coreHoursUsed: number;
  readonly coreHoursPaid: number;
  /** In the log, on all its servers together; and in the read models, on all nodes. */
  readonly logGib: number;
  readonly readModelsGib: number;
  /** To receivers; between our machines. */
  readonly sentOutGib: number;
  readonly sentInsideGib: number;
  /** In the currency of the prices, disk for as long as facts are kept. */
  readonly price: number;
}

/** All cores of a cell, three servers of each engine. */
export const coresOf = ({ nodes, nodeCores, engineCores }: CellShape): number =>
  nodes * nodeCores + 2 * REPLICAS * engineCores;

/** @param eventsPerS what the cell is given to carry */
export function costOfMillion(shape: CellShape, prices: Prices, eventsPerS: number): Cost {
  const { nodes, fanOut, attempts } = shape;
  const { storedFactBytes, projectedBytes, sentFactBytes, queuedBytes } = MEASURED;
  /** Of a delivery: its attempts, and its part of its event. */
  const facts = attempts + 1 / fanOut;
  const coreHoursUsed = (totalMs(shape) / fanOut) * (MILLION / MS_OF_HOUR);
  const logGib = (facts * storedFactBytes * REPLICAS * MILLION) / GIB;
  const readModelsGib = (projectedBytes * nodes * MILLION) / GIB;
  const sentOutGib = (attempts * (sentFactBytes + ASSUMED.postOverheadBytes) * MILLION) / GIB;
  /** A fact goes to the leading server, from there to two others, and to each projector; publications to each relay, too. */
  const factCopies = facts * (REPLICAS + nodes) + nodes / fanOut;
  /** A message goes to the leading server, from there to two others, and to a worker. */
  const messages = attempts * (REPLICAS + 1);
  const sentInsideGib = ((factCopies * sentFactBytes + messages * queuedBytes) * MILLION) / GIB;
  const coreHoursPaid = ((coresOf(shape) / (eventsPerS * fanOut)) * MILLION * MS_OF_SECOND) / MS_OF_HOUR;
  const months = ASSUMED.keptDays / DAYS_OF_MONTH;
  const price =
    coreHoursPaid * prices.coreHour +
    (logGib + readModelsGib) * months * prices.gibMonth +
    sentOutGib * prices.gibSentOut;
  return { coreHoursUsed, coreHoursPaid, logGib, readModelsGib, sentOutGib, sentInsideGib, price };
}
