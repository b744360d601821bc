import { Alarms } from './alarms.ts';
import { damaged, isDamage, noteDamage } from './damage.ts';
import { openDatabase } from './database.ts';
import { FileHold } from './file-hold.ts';
import { GroupCommit } from './group-commit.ts';
import { type Head, Heads } from './heads.ts';
import { Log } from './log.ts';
import { StreamNames } from './names.ts';
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
  headOf(stream: string): Head;
  write<T>(write: Write<T>): void;
  /** Writes what is queued, and answers it. */
  flush(): void;
  /** Told of every error: one that says that the file is damaged ends its service. */
  failed(error: unknown): void;
  close(): void;
}

/**
 * @param onDamage is told once the file turns out to be damaged: nothing of it may be served from then on
 * @throws CannotStart when the file is damaged, Error of one line when the directory cannot be used
 */
export function openStore(dataDir: string, onDamage: (error: Error) => void = () => {}): Store {
  const { database, file, wasKilled } = openDatabase(dataDir);
  const names = new StreamNames(database);
  const heads = new Heads(database, names);
  const log = new Log(database, names);
  const writes = new Writes(log, names, heads);
  const tail = new Tail();
  const alarms = new Alarms();
  const failed = (error: unknown) => {
    if (!isDamage(error)) return;
    noteDamage(file, error.message);
    onDamage(damaged(file, error.message));
  };
  const commits = new GroupCommit(database, {
    committed: () => {
      const events = writes.written.splice(0);
      tail.push(events);
      alarms.announce(events);
    },
    rolledBack: () => {
      writes.written.length = 0;
      log.last = log.lastStored();
      names.forgetAll();
      heads.forgetAll();
    },
    failed,
  });
  const store: Store = {
    log,
    tail,
    alarms,
    fileHold: new FileHold(database, file),
    headOf: (stream) => heads.of(stream),
    write: ({ run, done, fail }) => commits.enqueue(() => run(writes), done, fail),
    flush: () => commits.flush(),
    failed,
    close: () => {
      commits.flush();
      database.close();
    },
  };
  try {
    checkAtStart(log, heads, wasKilled);
  } catch (error) {
    database.close();
    throw isDamage(error) ? damaged(file, error.message) : error;
  }
  if (log.last === 0) writeFirstEvent(store);
  return store;
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
