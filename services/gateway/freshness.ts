import type { Progress } from '../../projections/progress.ts';
import { Problem } from './problems.ts';

/** How long a request waits for the read models, in ms. */
const PATIENCE_MS = 5_000;
/** What is remembered one by one before all of it becomes one position that everybody waits for. */
const REMEMBERED = 10_000;

export type Freshness = ReturnType<typeof createFreshness>;

/**
 * Read your writes: remembers where this gateway's appends ended, and lets reads wait until the read models are there. What the
 * log held when it started counts as its own: the writes of before a restart.
 */
export function createFreshness(progress: Progress) {
  const positions = new Map<string, number>();
  let newest = progress.head;
  /** Everybody waits for this one. */
  let floor = progress.head;
  let reached = -1;

  function until(position: number): Promise<void> | undefined {
    return position <= reached ? undefined : wait(position);
  }

  async function wait(position: number): Promise<void> {
    if (!(await progress.whenProcessed(position, PATIENCE_MS))) {
      const detail = `The read models are at position ${progress.current()} of the log, and must reach ${position} first.`;
      throw new Problem('read-models-behind', detail);
    }
    reached = Math.max(reached, position);
  }

  return {
    /** @param what stands for whatever reads will ask for, such as a stream's name */
    wrote(what: string, position: number): void {
      newest = Math.max(newest, position);
      positions.set(what, Math.max(position, positions.get(what) ?? -1));
      if (positions.size <= REMEMBERED) return;
      floor = newest;
      positions.clear();
    },
    /**
     * Resolves once the read models hold what this gateway wrote; undefined where they do already, which costs nothing.
     * @throws Problem read-models-behind
     */
    whenRead: (what: string): Promise<void> | undefined => until(Math.max(positions.get(what) ?? -1, floor)),
    /** @throws Problem read-models-behind */
    whenAllRead: (): Promise<void> | undefined => until(newest),
    /** @throws Problem read-models-behind */
    whenPosition: until,
  };
}
