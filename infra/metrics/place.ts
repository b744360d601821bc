import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where the processes of a node have their sockets. */
export const placeOf = (dataDir: string): string => join(dataDir, 'metrics');

/** Forgets the processes that were there before: to be called while none runs. */
export function forgetProcesses(dataDir: string): void {
  rmSync(placeOf(dataDir), { recursive: true, force: true });
}
