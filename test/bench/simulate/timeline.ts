interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

export type Timeline = ReturnType<typeof createTimeline>;

/** What is going to happen in simulated time: the earliest first, and of what is due at the same time what was set first. */
export function createTimeline() {
  /** A binary heap: no entry is due before the one at half its index. The first is a place holder. */
  const heap: (Due | undefined)[] = [undefined];
  let nowMs = 0;
  let set = 0;

  const isBefore = (a: Due, b: Due) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

  function push(due: Due) {
    let index = heap.push(due) - 1;
    for (let parent = index >> 1; parent > 0 && isBefore(due, heap[parent] as Due); parent = index >> 1) {
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = due;
  }

  function pop(): Due | undefined {
    const first = heap[1];
    const last = heap.pop();
    if (!first || !last || last === first) return first;
    let index = 1;
    for (;;) {
      let child = 2 * index;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child += 1;
      if (!isBefore(heap[child] as Due, last)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return first;
  }

  return {
    nowMs: () => nowMs,
    /** @throws RangeError where that lies in the past */
    at(atMs: number, happen: () => void): void {
      if (!(atMs >= nowMs)) throw new RangeError(`${atMs} is before ${nowMs}`);
      push({ atMs, order: set++, happen });
    },
    after(ms: number, happen: () => void): void {
      this.at(nowMs + ms, happen);
    },
    /** Lets everything happen until nothing is left. */
    run(): void {
      for (let due = pop(); due; due = pop()) {
        nowMs = due.atMs;
        due.happen();
      }
    },
  };
}
