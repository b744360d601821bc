import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';

/** Brings what a file was given to where a power cut cannot take it back. */
export interface Disk {
  /** Beside the thread. */
  flush(done: (error: Error | undefined) => void): void;
  /** Waits for it. */
  flushNow(): Error | undefined;
  close(): void;
}

/**
 * Of the write-ahead log, whose inode stays the same as long as SQLite has it open. SQLite flushes it by itself only where it begins it anew
 * and before it moves it into the database (`synchronous=NORMAL`), which keeps the file whole, not what was committed last.
 * https://sqlite.org/pragma.html#pragma_synchronous
 */
export function diskOf(walFile: string): Disk {
  const fd = openSync(walFile, 'r+');
  let underWay = 0;
  let isClosed = false;
  const closeWhenDone = () => {
    if (isClosed && underWay === 0) closeSync(fd);
  };
  return {
    flush(done) {
      underWay += 1;
      fdatasync(fd, (error) => {
        underWay -= 1;
        closeWhenDone();
        done(error ?? undefined);
      });
    },
    flushNow() {
      try {
        fdatasyncSync(fd);
        return undefined;
      } catch (error) {
        return error as Error;
      }
    },
    close() {
      isClosed = true;
      closeWhenDone();
    },
  };
}
