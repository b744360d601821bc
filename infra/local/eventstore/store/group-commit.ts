import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Disk } from './disk.ts';

interface Job {
  /** Runs inside the transaction. */
  readonly run: () => Settlement;
  readonly fail: (error: Error) => void;
}

interface Settlement {
  /** What to do once it is on disk. */
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

interface Hooks {
  /** A transaction has ended well. Returns whether it has written anything. */
  readonly committed: () => boolean;
  /** All that was committed is on disk. */
  readonly flushed: () => void;
  readonly rolledBack: () => void;
  readonly failed: (error: Error) => void;
  /** The disk may have lost what was committed, which cannot be taken back: nothing is written from then on. */
  readonly lost: (error: Error) => void;
}

/**
 * One transaction, and one flush of the disk, for all that has queued up while the ones before were under way: a flush costs the same for
 * one append as for a thousand. It runs beside the thread, which reads and answers meanwhile.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #disk: Disk;
  readonly #hooks: Hooks;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #queue: Job[] = [];
  /** What is committed and not on disk yet. */
  #flushing: Settlement[] | undefined;
  /** A transaction has begun that did not end well. */
  #dirty = false;
  #lost: Error | undefined;

  constructor(database: DatabaseSync, disk: Disk, hooks: Hooks) {
    this.#database = database;
    this.#disk = disk;
    this.#hooks = hooks;
    this.#begin = database.prepare('BEGIN');
    this.#commit = database.prepare('COMMIT');
  }

  /** `done` is called once the outcome of `run` is durable, `fail` when nothing of it was written, or nobody knows. */
  enqueue<T>(run: () => T, done: (outcome: T) => void, fail: (error: Error) => void): void {
    const job: Job = {
      run: () => {
        const outcome = run();
        return { done: () => done(outcome), fail };
      },
      fail,
    };
    if (this.#queue.push(job) === 1) this.#writeSoon();
  }

  /** Writes all that is queued, and waits for the disk. */
  flush(): void {
    while (this.#flushing || this.#queue.length > 0) {
      if (this.#flushing) this.#finish(this.#flushing, this.#disk.flushNow());
      else this.#write();
    }
  }

  #writeSoon(): void {
    setImmediate(() => {
      if (!this.#flushing) this.#write();
    });
  }

  #write(): void {
    const jobs = this.#queue;
    if (jobs.length === 0) return;
    this.#queue = [];
    const settlements = this.#transact(jobs);
    if (settlements === undefined) return;
    if (this.#hooks.committed()) {
      this.#flushing = settlements;
      this.#disk.flush((error) => this.#finish(settlements, error));
    } else settle(settlements);
  }

  /** Undefined where it failed, and they have been told. */
  #transact(jobs: readonly Job[]): Settlement[] | undefined {
    try {
      if (this.#lost) throw this.#lost;
      this.#recover();
      this.#dirty = true;
      this.#begin.run();
      const settlements = jobs.map((job) => job.run());
      this.#commit.run();
      this.#dirty = false;
      return settlements;
    } catch (error) {
      this.#failAll(jobs, error as Error);
      return undefined;
    }
  }

  #finish(settlements: Settlement[], error: Error | undefined): void {
    // A flush that did not wait for this one was through before.
    if (this.#flushing !== settlements) return;
    this.#flushing = undefined;
    if (error) {
      this.#lost = error;
      this.#hooks.lost(error);
      for (const { fail } of settlements) fail(error);
    } else {
      settle(settlements);
      this.#hooks.flushed();
    }
    if (this.#queue.length > 0) this.#writeSoon();
  }

  #failAll(jobs: readonly Job[], error: Error): void {
    try {
      this.#recover();
    } catch {
      // The disk refuses that too: the next transaction begins with it.
    }
    this.#hooks.failed(error);
    for (const job of jobs) job.fail(error);
  }

  #recover(): void {
    if (!this.#dirty) return;
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    this.#hooks.rolledBack();
    this.#dirty = false;
  }
}

function settle(settlements: readonly Settlement[]): void {
  for (const { done } of settlements) done();
}
