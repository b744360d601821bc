export type Slots = ReturnType<typeof createSlots>;

/** Lets at most `size` pieces of work go on at a time. */
export function createSlots(size: number) {
  let taken = 0;
  const waiting: (() => void)[] = [];
  let idle: (() => void)[] = [];
  return {
    taken: (): number => taken,
    /** Resolves when there is room; in the order of the calls. */
    acquire(): Promise<void> | undefined {
      if (taken < size) {
        taken += 1;
        return undefined;
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    release(): void {
      const next = waiting.shift();
      if (next) {
        next();
        return;
      }
      taken -= 1;
      if (taken > 0) return;
      for (const resolve of idle) resolve();
      idle = [];
    },
    /** Resolves once no work is left. */
    whenIdle: (): Promise<void> => (taken === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}
