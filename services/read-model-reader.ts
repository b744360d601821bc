import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../infra/log.ts';
import { isDamagedFile, openForReading } from '../infra/sqlite.ts';
import { readModelsFile, servableGeneration } from '../projections/generations.ts';
import { createReadModels, type ReadModels, readModels } from '../projections/read-models.ts';
import { tablesIn } from '../projections/tables.ts';
import { noteDamaged } from './derived-file.ts';

/** How often a file that is not there yet is looked for, in ms. */
const SOON_MS = 20;
/** How often it is looked whether another file is to be served, in ms. */
const LOOK_MS = 100;

interface Opened {
  readonly file: string;
  readonly inode: number;
  readonly db: DatabaseSync;
  readonly models: ReadModels;
}

/**
 * Opens the read models that are to be served, once the projector has made some, and goes over to others by itself: from those of an older
 * version once today's are as far, and from a file that was thrown away once what is rebuilt holds all that anybody was told to be there.
 */
export async function openReader(
  dataDir: string,
  log: Logger,
): Promise<{ readonly models: ReadModels; close(): void }> {
  const file = readModelsFile(dataDir);
  let today = await whenThere(file);
  let older = openOlder(dataDir);
  /** The furthest position that anybody was told. */
  let reliedOn = -1;

  function goOver() {
    if (!older) return;
    // In this order: all that can have been relied on is in the older rows by now.
    notePosition(older);
    if (today.models.position() < reliedOn) return;
    older.db.close();
    older = undefined;
    log.info('serving the new read models');
  }

  /** What was thrown away is served on, as far as it can be read, until what is rebuilt holds all that was relied on. */
  function reopen() {
    if (inodeOf(file) === today.inode) return;
    const rebuilt = tryOpening(file);
    if (!rebuilt) return;
    if (rebuilt.models.position() < reliedOn) {
      rebuilt.db.close();
      return;
    }
    today.db.close();
    today = rebuilt;
    log.warn('the read models were thrown away: serving those that were rebuilt');
  }

  function notePosition({ file: ofFile, models }: Opened) {
    try {
      reliedOn = Math.max(reliedOn, models.position());
    } catch (error) {
      if (!isDamagedFile(error)) throw error;
      noteDamaged(ofFile);
    }
  }

  function position(): number {
    const at = (older ?? today).models.position();
    reliedOn = Math.max(reliedOn, at);
    return at;
  }

  function ask<T>(query: (models: ReadModels) => T): T {
    return watching(older ?? today, () => {
      goOver();
      return query((older ?? today).models);
    });
  }

  const looking = setInterval(() => {
    try {
      reopen();
      watching(older ?? today, goOver);
    } catch (error) {
      log.warn({ err: error }, 'the read models cannot be looked at');
    }
  }, LOOK_MS);
  looking.unref();

  return {
    models: { ...forwarding(today.models, ask), position: () => ask(position) },
    close() {
      clearInterval(looking);
      older?.db.close();
      today.db.close();
    },
  };
}

async function whenThere(file: string): Promise<Opened> {
  for (;;) {
    const opened = tryOpening(file);
    if (opened) return opened;
    await delay(SOON_MS);
  }
}

function openOlder(dataDir: string): Opened | undefined {
  const servable = servableGeneration(dataDir);
  return servable && tryOpening(servable.file);
}

function tryOpening(file: string): Opened | undefined {
  const inode = inodeOf(file);
  let db: DatabaseSync | undefined;
  try {
    db = openForReading(file);
    if (db && inode !== undefined && tablesIn(db, createReadModels) === 'todays')
      return { file, inode, db, models: readModels(db) };
  } catch (error) {
    if (!isDamagedFile(error)) throw error;
    noteDamaged(file);
  }
  db?.close();
  return undefined;
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** Tells the projector where a file turns out to be damaged, unless it has been thrown away already. */
function watching<T>({ file, inode }: Opened, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isDamagedFile(error) && inodeOf(file) === inode) noteDamaged(file);
    throw error;
  }
}

type Ask = <T>(query: (models: ReadModels) => T) => T;

/** The same queries, each over what is to be served when it is asked. */
function forwarding(shape: ReadModels, ask: Ask): ReadModels {
  return {
    position: () => ask((models) => models.position()),
    channels: group(shape.channels, ask, ({ channels }) => channels),
    webhooks: group(shape.webhooks, ask, ({ webhooks }) => webhooks),
    health: group(shape.health, ask, ({ health }) => health),
    events: group(shape.events, ask, ({ events }) => events),
    deliveries: group(shape.deliveries, ask, ({ deliveries }) => deliveries),
    recoveries: group(shape.recoveries, ask, ({ recoveries }) => recoveries),
    erasures: group(shape.erasures, ask, ({ erasures }) => erasures),
    expiries: group(shape.expiries, ask, ({ expiries }) => expiries),
    happenings: group(shape.happenings, ask, ({ happenings }) => happenings),
    feed: group(shape.feed, ask, ({ feed }) => feed),
    stats: group(shape.stats, ask, ({ stats }) => stats),
    lists: group(shape.lists, ask, ({ lists }) => lists),
  };
}

function group<G extends object>(shape: G, ask: Ask, of: (models: ReadModels) => G): G {
  type Query = (...args: unknown[]) => unknown;
  const queries = Object.keys(shape).map((name) => {
    const query: Query = (...args) => ask((models) => (of(models) as Record<string, Query>)[name]?.(...args));
    return [name, query];
  });
  return Object.fromEntries(queries) as G;
}
