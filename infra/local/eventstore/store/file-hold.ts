import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const CHECKPOINT_PAGES = 4_000;
/** How large the write-ahead log may grow while the file is held, in bytes. */
const MOST_WAL_BYTES = 4 * 1024 ** 3;

/**
 * Keeps the database file as it is for a while: what is written meanwhile waits in the write-ahead log. Who copies the file then has all
 * that was acknowledged before, and appends go on as fast as ever.
 */
export class FileHold {
  readonly #database: DatabaseSync;
  readonly #file: string;
  #holders = 0;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
  }

  acquire(): { readonly file: string; readonly bytes: number; release(): void } {
    if (this.#holders === 0) this.#clearWal();
    this.#holders += 1;
    let isHeld = true;
    return {
      file: this.#file,
      bytes: statSync(this.#file).size,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#holders -= 1;
        if (this.#holders === 0) this.#checkpointAt(CHECKPOINT_PAGES);
      },
    };
  }

  /** Brings into the file all that is in the write-ahead log, and clears that, unless somebody holds the file. */
  clearWal(): void {
    if (this.#holders > 0 || !this.#database.isOpen) return;
    this.#clearWal();
    this.#checkpointAt(CHECKPOINT_PAGES);
  }

  isTooLong(): boolean {
    return statSync(`${this.#file}-wal`).size > MOST_WAL_BYTES;
  }

  #clearWal(): void {
    // No other connection can be in its way, nor a statement of ours: each has ended when its function returns.
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#checkpointAt(0);
  }

  #checkpointAt(pages: number): void {
    if (this.#database.isOpen) this.#database.exec(`PRAGMA wal_autocheckpoint = ${pages}`);
  }
}
