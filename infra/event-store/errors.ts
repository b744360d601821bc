/** The stream was not at the expected revision. Nothing was appended. */
export class WrongRevision extends Error {
  /** Last revision of the stream, -1 where there is none. */
  readonly actual: number;
  constructor(stream: string, actual: number) {
    super(`${stream} is at revision ${actual}`);
    this.name = 'WrongRevision';
    this.actual = actual;
  }
}

/** The event store could not be reached, or did not answer in time. Whether an append took place is not known. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('the event store is unavailable', { cause });
    this.name = 'StoreUnavailable';
  }
}

/** The store will not take what is to be appended, as it is: it is too large, or no event. */
export class AppendRefused extends Error {
  constructor(stream: string, { failure, message }: { failure: string; message: string }) {
    super(`the event store refused what was to be appended to ${stream}: ${failure}: ${message}`);
    this.name = 'AppendRefused';
  }
}

const OURS = [WrongRevision, AppendRefused, StoreUnavailable, TypeError, RangeError];

/**
 * Waits for a call of the client, but never longer than the deadline: its promises can hang. What it throws that is none of ours is an outage.
 * @throws WrongRevision, AppendRefused, StoreUnavailable
 */
export async function inTime<T>(call: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(new Error(`no answer in ${deadlineMs} ms`))), deadlineMs);
  });
  try {
    return await Promise.race([call, late]);
  } catch (error) {
    throw OURS.some((kind) => error instanceof kind) ? error : new StoreUnavailable(error);
  } finally {
    clearTimeout(timer);
  }
}
