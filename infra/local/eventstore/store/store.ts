import { Alarms } from './alarms.ts';
import { damaged, isDamage, noteDamage } from './damage.ts';
import { openDatabase, walOf } from './database.ts';
import { type Disk, diskOf } from './disk.ts';
import { FileHold } from './file-hold.ts';
import { GroupCommit } from './group-commit.ts';
import { type Head, Heads } from './heads.ts';
import { Log } from './log.ts';
import { StreamNames } from './names.ts';
import { Scavenger } from './scavenger.ts';
import { checkAtStart } from './start-check.ts';
import { Tail } from './tail.ts';
import { Writes } from './writes.ts';

export interface Write<T> {
  /** Runs in the transaction. */
  readonly run: (writes: Writes) => T;
  /** Called when the outcome is on disk. */
  readonly done: (outcome: T) => void;
  readonly fail: (error: Error) => void;
}

export interface Store {
  readonly log: Log;
  readonly tail: Tail;
  readonly alarms: Alarms;
  readonly fileHold: FileHold;
  /** As reads see it. */
  headOf(stream: string): Head;
  write<T>(write: Write<T>): void;
  /** Writes what is queued, waits for the disk, and answers it. */
  flush(): void;
  /** Told of every error: one that says that the file is damaged ends its service. */
  failed(error: unknown): void;
  close(): void;
}

/**
 * @param onUnusable is told once the file turns out to be damaged, or the disk did not take what was written: nothing of it may be served
 * from then on
 * @throws CannotStart when the file is damaged, Error of one line when the directory cannot be used
 */
export function openStore(
  dataDir: string,
  onUnusable: (error: Error) => void = () => {},
  diskFor: (walFile: string) => Disk = diskOf,
): Store {
  const { database, file, wasKilled } = openDatabase(dataDir);
  const disk = diskFor(walOf(file));
  const names = new StreamNames(database);
  const heads = new Heads(database, names);
  const log = new Log(database, names);
  const writes = new Writes(log, names, heads);
  const tail = new Tail();
  const alarms = new Alarms();
  const failed = (error: unknown) => {
    if (!isDamage(error)) return;
    noteDamage(file, error.message);
    onUnusable(damaged(file, error.message));
  };
  const commits = new GroupCommit(database, disk, {
    committed: () => log.last > log.durable,
    flushed: () => {
      log.durable = log.last;
      heads.release();
      const events = writes.written.splice(0);
      tail.push(events);
      alarms.announce(events);
      scavenger.noticed(events);
    },
    rolledBack: () => {
      writes.written.length = 0;
      log.last = log.lastStored();
      names.forgetAll();
      heads.forgetAll();
    },
    failed,
    lost: ({ message }) => onUnusable(new Error(`${file} may have lost what was written last: ${message}`)),
  });
  const fileHold = new FileHold(database, file);
  const inTransaction = <T>(run: () => T) => new Promise<T>((resolve, reject) => commits.enqueue(run, resolve, reject));
  const scavenger = new Scavenger({ log, names, heads, fileHold, write: inTransaction, failed });
  const close = () => {
    scavenger.stop();
    disk.close();
    database.close();
  };
  const store: Store = {
    log,
    tail,
    alarms,
    fileHold,
    headOf: (stream) => heads.durable(stream),
    write: ({ run, done, fail }) => commits.enqueue(() => run(writes), done, fail),
    flush: () => commits.flush(),
    failed,
    close: () => {
      commits.flush();
      close();
    },
  };
  try {
    checkAtStart(log, heads, wasKilled);
    if (wasKilled) flushLeftovers(disk);
  } catch (error) {
    close();
    throw isDamage(error) ? damaged(file, error.message) : error;
  }
  if (log.last === 0) writeFirstEvent(store);
  scavenger.start();
  return store;
}

/** What a killed process has committed may be nowhere but in memory yet. */
function flushLeftovers(disk: Disk): void {
  const error = disk.flushNow();
  if (error) throw error;
}

/** A real server's `$all` is never empty either, and clients rely on that. */
function writeFirstEvent(store: Store): void {
  const data = Buffer.from('{}');
  const created = { id: Buffer.alloc(16, 1), type: '$created', json: true, data, metadata: new Uint8Array(0) };
  const raise = (error: Error) => {
    throw error;
  };
  store.write({ run: (writes) => writes.append('$database', 'no_stream', [created]), done: () => {}, fail: raise });
  store.flush();
}
