import type { DatabaseSync, StatementSync } from 'node:sqlite';

interface Job {
  /** Runs inside the transaction; returns what to do once it is on disk. */
  readonly run: () => () => void;
  readonly fail: (error: Error) => void;
}

/**
 * One transaction for all that has queued up while the one before was being written: a disk flush costs the same for one
 * append as for a thousand.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #committed: () => void;
  readonly #rolledBack: () => void;
  readonly #failed: (error: Error) => void;
  #queue: Job[] = [];
  /** A transaction has begun that did not end well. */
  #dirty = false;

  constructor(
    database: DatabaseSync,
    hooks: { committed: () => void; rolledBack: () => void; failed: (error: Error) => void },
  ) {
    this.#database = database;
    this.#begin = database.prepare('BEGIN');
    this.#commit = database.prepare('COMMIT');
    this.#committed = hooks.committed;
    this.#rolledBack = hooks.rolledBack;
    this.#failed = hooks.failed;
  }

  /** `done` is called once the outcome of `run` is durable, `fail` when nothing of it was written. */
  enqueue<T>(run: () => T, done: (outcome: T) => void, fail: (error: Error) => void): void {
    const job: Job = {
      run: () => {
        const outcome = run();
        return () => done(outcome);
      },
      fail,
    };
    if (this.#queue.push(job) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    const jobs = this.#queue;
    if (jobs.length === 0) return;
    this.#queue = [];
    const settlements: (() => void)[] = [];
    try {
      this.#recover();
      this.#dirty = true;
      this.#begin.run();
      for (const job of jobs) settlements.push(job.run());
      this.#commit.run();
      this.#dirty = false;
    } catch (error) {
      this.#failAll(jobs, error as Error);
      return;
    }
    for (const settle of settlements) settle();
    this.#committed();
  }

  #failAll(jobs: readonly Job[], error: Error): void {
    try {
      this.#recover();
    } catch {
      // The disk refuses that too: the next flush begins with it.
    }
    this.#failed(error);
    for (const job of jobs) job.fail(error);
  }

  #recover(): void {
    if (!this.#dirty) return;
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    this.#rolledBack();
    this.#dirty = false;
  }
}
