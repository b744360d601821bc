import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;
/** Written out at least so often, in bytes: one large flush at the end would hold up those of the store. */
const SYNC_BYTES = 16 * CHUNK_BYTES;

/** Copies the first `bytes` of a file into a new one, readable by its owner alone, and on disk when this resolves. */
export async function copyFile(
  from: string,
  to: string,
  bytes: number,
  progress: (copied: number) => void,
): Promise<void> {
  await using source = await open(from, 'r');
  await using target = await open(to, 'wx', 0o600);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let unsynced = 0;
  for (let copied = 0; copied < bytes; ) {
    const { bytesRead } = await source.read(chunk, 0, Math.min(CHUNK_BYTES, bytes - copied), copied);
    if (bytesRead === 0) throw new Error(`${from} is shorter than its store says`);
    await target.write(chunk, 0, bytesRead, copied);
    copied += bytesRead;
    unsynced += bytesRead;
    if (unsynced >= SYNC_BYTES) {
      await target.datasync();
      unsynced = 0;
    }
    progress(copied);
  }
  await target.sync();
}

/** Makes names in a directory durable. */
export async function syncDirectory(dir: string): Promise<void> {
  await using handle = await open(dir, 'r');
  await handle.sync();
}
