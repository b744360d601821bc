/**
 * What all sources give, one of each that has something in turn: one that has much at a time does not hold up the others. Reads one value ahead of each.
 * Ends when all have ended. @throws what the first that fails throws
 */
export async function* inTurns<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const ready: { readonly source: AsyncIterator<T>; readonly result: IteratorResult<T> }[] = [];
  const failures: unknown[] = [];
  let wake = () => {};
  let open = sources.length;

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

  for (const source of sources) read(source[Symbol.asyncIterator]());
  while (open > 0) {
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
}
