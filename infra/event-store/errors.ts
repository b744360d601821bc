import {
  InvalidArgumentError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';

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

/** The stream was never written, or is deleted. */
export class StreamMissing extends Error {}

/**
 * Waits for a call of the client, but never longer than the deadline: its promises can hang. Errors come out as ours.
 * @throws WrongRevision, StreamMissing, StoreUnavailable
 */
export async function inTime<T>(call: Promise<T>, deadlineMs: number, stream: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(new Error(`no answer in ${deadlineMs} ms`))), deadlineMs);
  });
  try {
    return await Promise.race([call, late]);
  } catch (error) {
    throw asOurs(error, stream);
  } finally {
    clearTimeout(timer);
  }
}

function asOurs(error: unknown, stream: string): unknown {
  if (error instanceof WrongExpectedVersionError) return new WrongRevision(stream, Number(error.actualVersion));
  if (error instanceof StreamNotFoundError || error instanceof StreamDeletedError) return new StreamMissing(stream);
  const isOurFault = [StoreUnavailable, MaxAppendSizeExceededError, InvalidArgumentError, TypeError, RangeError];
  return isOurFault.some((kind) => error instanceof kind) ? error : new StoreUnavailable(error);
}
