import type { DatabaseSync } from 'node:sqlite';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { isDamagedFile, openDerived, removeDerived } from '../../infra/sqlite.ts';
import { olderGenerations, readModelsFile, servableGeneration } from '../../projections/generations.ts';
import { createReadModels, readModels } from '../../projections/read-models.ts';
import { tablesIn } from '../../projections/tables.ts';
import { isNotedDamaged, noteDamaged, openOrRebuild, Unusable } from '../derived-file.ts';
import { createProjector, type ProjectorDeps } from './projector.ts';

/** How often it is looked whether today's read models have caught up, or are said to be damaged, in ms. */
const LOOK_MS = 200;

export interface KeeperDeps extends Pick<ProjectorDeps, 'onBatch'> {
  readonly dataDir: string;
  readonly store: EventStore;
  readonly log: Logger;
}

interface Fed {
  readonly file: string;
  readonly position: () => number;
  stop(): Promise<void>;
}

/**
 * Keeps the read models: the only writer of their files. While today's are built, those of an older version that can be served are fed
 * as well; once today's are where those are, they go. Damaged ones are thrown away and built anew.
 */
export function createKeeper({ dataDir, store, log, ...telling }: KeeperDeps): Service {
  const file = readModelsFile(dataDir);
  let current: Fed | undefined;
  let older: Fed | undefined;
  let looking: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;

  async function feed(ofFile: string, db: DatabaseSync): Promise<Fed> {
    const projector = createProjector({ db, store, log, ...telling, onDamage: () => noteDamaged(ofFile) });
    await projector.start();
    const stop = async () => {
      await projector.stop();
      db.close();
    };
    return { file: ofFile, position: readModels(db).position, stop };
  }

  async function startCurrent() {
    current = await feed(file, openOrRebuild(file, log, prepare));
  }

  async function startOlder() {
    const servable = servableGeneration(dataDir);
    const db = servable && openServable(servable.file);
    if (!servable || !db) return;
    log.info({ version: servable.version }, 'building new read models; those of an older version are served meanwhile');
    older = await feed(servable.file, db);
  }

  async function look() {
    if (isNotedDamaged(file)) {
      await current?.stop();
      await startCurrent();
    }
    if (!current || (older && isAhead(older, current))) return;
    await older?.stop();
    if (older) log.info('the new read models have caught up');
    older = undefined;
    for (const { file: old } of olderGenerations(dataDir)) removeDerived(old);
  }

  function lookSoon() {
    looking = setTimeout(() => {
      working = look().catch((error) => {
        if (isDamagedFile(error)) noteDamaged(file);
        log.error({ err: error }, 'the read models could not be looked after');
      });
      working.then(() => looking && lookSoon());
    }, LOOK_MS);
  }

  return {
    name: 'projector',
    async start() {
      await startCurrent();
      await startOlder();
      lookSoon();
    },
    async stop() {
      clearTimeout(looking);
      looking = undefined;
      await working;
      await older?.stop();
      await current?.stop();
    },
  };
}

function prepare(db: DatabaseSync): void {
  if (tablesIn(db, createReadModels) === 'others') throw new Unusable('its tables are not those of this version');
  createReadModels(db);
}

function isAhead(older: Fed, current: Fed): boolean {
  return !isNotedDamaged(older.file) && current.position() < older.position();
}

/** Undefined where today's code cannot work with it. */
function openServable(file: string): DatabaseSync | undefined {
  if (isNotedDamaged(file)) return undefined;
  try {
    const db = openDerived(file);
    if (tablesIn(db, createReadModels) === 'todays') return db;
    db.close();
  } catch (error) {
    if (!isDamagedFile(error)) throw error;
  }
  return undefined;
}
