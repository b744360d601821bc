import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { basename, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { AggregatorRegistry } from 'prom-client';
import type { Service } from '../lifecycle.ts';
import type { Logger } from '../log.ts';
import type { Figures, Metrics } from './metrics.ts';
import { METRICS } from './names.ts';
import { placeOf } from './place.ts';

/** How long another process of the node may take to tell its figures, in ms. */
const ANSWER_MS = 2_000;
/** The most processes of the same roles. */
const MOST = 16;
const ENDING = '.sock';

export type Exchange = ReturnType<typeof createExchange>;

/**
 * Lets the processes of a node, which share a DATA_DIR, have each other's figures: each listens on a socket there, named after its roles. One that was killed leaves its socket
 * behind, which shows that it is missing.
 */
export function createExchange({ dataDir, name, metrics, log }: ExchangeDeps): Service & { all(): Promise<string> } {
  const place = placeOf(dataDir);
  let server: Server | undefined;
  let ownName = name;

  /** Under the first name that no process has which lives. */
  async function listen(): Promise<Server> {
    for (let nth = 1; nth <= MOST; nth++) {
      ownName = nth === 1 ? name : `${name}-${nth}`;
      const path = shortest(join(place, ownName + ENDING));
      if (await answers(path)) continue;
      rmSync(path, { force: true });
      const listening = createServer((socket) => {
        socket.on('error', (err) => log.debug({ err }, 'nobody waits for the figures any more'));
        metrics.figures().then((figures) => socket.end(JSON.stringify(figures)), log.error);
      });
      listening.listen(path);
      await once(listening, 'listening');
      return listening;
    }
    throw new Error(`${MOST} processes of these roles tell their figures already`);
  }

  async function ofProcess(process: string): Promise<Told> {
    const figures = process === ownName ? await metrics.figures() : await ask(shortest(join(place, process + ENDING)));
    return { process, figures };
  }

  return {
    name: 'metrics',
    async start() {
      try {
        mkdirSync(place, { recursive: true, mode: 0o700 });
        server = await listen();
        server.unref();
      } catch (error) {
        log.warn({ err: error }, 'the figures of this process cannot be had by the others of its node');
      }
    },
    async stop() {
      server?.close();
    },
    /** The figures of all processes of this node, in Prometheus' text format. */
    async all(): Promise<string> {
      const names = new Set([ownName, ...processesIn(place)]);
      return asText(await Promise.all([...names].sort().map(ofProcess)));
    },
  };
}

export interface ExchangeDeps {
  readonly dataDir: string;
  /** The roles of this process. */
  readonly name: string;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface Told {
  readonly process: string;
  /** Undefined where it did not tell any. */
  readonly figures: Figures | undefined;
}

function processesIn(place: string): string[] {
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => basename(file, ENDING));
}

/** A socket's path may have about 100 characters. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}

async function answers(path: string): Promise<boolean> {
  return (await ask(path)) !== undefined;
}

/** Undefined where nobody answers, or too late. */
async function ask(path: string): Promise<Figures | undefined> {
  const socket = createConnection(path);
  const timer = setTimeout(() => socket.destroy(new Error('late')), ANSWER_MS);
  try {
    return JSON.parse(await text(socket)) as Figures;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Each figure with the process that it is of; with those of whom nothing is known, that nothing is. */
function asText(told: readonly Told[]): Promise<string> {
  const { type, name, help } = METRICS.processUp;
  const values = told.map(({ process, figures }) => ({ value: figures ? 1 : 0, labels: { process } }));
  const up = [{ type, name, help, aggregator: 'sum', values }];
  const labelled = told.map(({ process, figures = [] }) =>
    figures.map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, process } })),
    })),
  );
  return AggregatorRegistry.aggregate([up, ...labelled]).metrics();
}
