import { join } from 'node:path';
import { positionReader } from './relay/registry.ts';
import { openReplacedFile } from './replaced-file.ts';

/** Tells where in the log a relay on this machine is, from its own table, also when that is made anew. */
export function openRelayReader(dataDir: string) {
  const file = openReplacedFile(join(dataDir, 'relay.db'), positionReader);
  return {
    /** Undefined where there is no relay here. @throws Error where its table cannot be read */
    position: (): number | undefined => file.queries()?.(),
    close: file.close,
  };
}
