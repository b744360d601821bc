interface Window {
  readonly untilMs: number;
  /** What was counted in it so far. */
  count: number;
}

/**
 * Counts of many, each in a window of its own that begins with the first that is counted in it.
 * @param windowMs how long each is
 * @param most how many are remembered at a time: of more than that, the one that began first is forgotten
 */
export function createWindows<Key>(windowMs: number, most: number) {
  const windows = new Map<Key, Window>();

  function forgetOver(atMs: number) {
    for (const [key, { untilMs }] of windows) {
      if (untilMs > atMs && windows.size <= most) return;
      windows.delete(key);
    }
  }

  return {
    /** The window that a key is in at `atMs`, by a monotonic clock. */
    at(key: Key, atMs: number): Window {
      const known = windows.get(key);
      if (known && known.untilMs > atMs) return known;
      const window = { untilMs: atMs + windowMs, count: 0 };
      // Behind the others, which are over sooner.
      windows.delete(key);
      windows.set(key, window);
      forgetOver(atMs);
      return window;
    },
    /** How many are remembered. */
    size: (): number => windows.size,
  };
}
