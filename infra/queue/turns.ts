/**
 * Sources that are read in turn, one value of each that has something: one that has much at a time does not hold up the others. Reads one value ahead of
 * each.
 */
export function createTurns<T>() {
  const ready: { readonly source: AsyncIterator<T>; readonly result: IteratorResult<T> }[] = [];
  const failures: unknown[] = [];
  let wake = () => {};
  let open = 0;
  let isClosed = false;

  function read(source: AsyncIterator<T>) {
    source.next().then(
      (result) => {
        ready.push({ source, result });
        wake();
      },
      (error) => {
        failures.push(error);
        wake();
      },
    );
  }

  return {
    add(source: AsyncIterable<T>): void {
      open += 1;
      read(source[Symbol.asyncIterator]());
    },
    /** Says that no more sources will be added. */
    close(): void {
      isClosed = true;
      wake();
    },
    /** What all give. Ends when it is closed and all have ended. @throws what the first that fails throws */
    async *values(): AsyncGenerator<T> {
      while (!isClosed || open > 0) {
        if (failures.length > 0) throw failures[0];
        const next = ready.shift();
        if (!next) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (next.result.done) {
          open -= 1;
        } else {
          read(next.source);
          yield next.result.value;
        }
      }
    },
  };
}

/** What all sources give, in turns. Ends when all have ended. @throws what the first that fails throws */
export function inTurns<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const turns = createTurns<T>();
  for (const source of sources) turns.add(source);
  turns.close();
  return turns.values();
}
