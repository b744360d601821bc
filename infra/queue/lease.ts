import { randomUUID } from 'node:crypto';
import type { Found, Records } from './records.ts';

/**
 * Times of a lease, in ms. Its holder counts from before it asked, and by its own clock; whoever waits for it counts from when it first saw the holder's
 * last word. So no clocks are compared, and a holder gives up before anybody takes over as long as no clock runs a third faster than another.
 */
export const LEASE = {
  /** How often it is to be looked after. */
  lookMs: 250,
  /** How often it is renewed where its holder has something new to note, and where not. */
  newsMs: 500,
  renewMs: 1_500,
  /** How long its holder may rely on it. */
  validMs: 4_500,
  /** How long it must have been as it is before another takes it. */
  goneMs: 6_000,
} as const;

/** What is kept of a lease. */
interface Kept<Note> {
  /** The node that held it last. */
  readonly node: string;
  /** The process that holds it; empty where it was given up. */
  readonly holder: string;
  readonly note: Note;
}

/** What a new holder finds. */
export interface Taken<Note> {
  /** What the last holder noted; undefined where there was none, or the broker has forgotten. */
  readonly found: Note | undefined;
  /** Whether that was this node. */
  readonly wasOurs: boolean;
}

export interface LeaseDeps {
  readonly records: Records;
  readonly key: string;
  /** Whose lease it is; the same after a restart, which need not wait for itself. */
  readonly node: string;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

export type Lease<Note> = ReturnType<typeof createLease<Note>>;

/** Held by one of many at a time; carries what its holder notes to the next one. */
export function createLease<Note>({ records, key, node, nowMs }: LeaseDeps) {
  const self = randomUUID();
  let held: { revision: number; renewedMs: number; validUntilMs: number; noted: string } | undefined;
  /** Whether the last renewal failed: the broker may have it all the same. */
  let isUnsure = false;
  let seen: { readonly revision: number; readonly sinceMs: number } | undefined;
  let last: Kept<Note> | undefined;

  const isHeld = (): boolean => held !== undefined && nowMs() < held.validUntilMs;

  async function write(note: Note, revision: number): Promise<void> {
    const askedMs = nowMs();
    const kept: Kept<Note> = { node, holder: self, note };
    const written = await records.replace(key, kept, revision);
    last = kept;
    held = {
      revision: written,
      renewedMs: askedMs,
      validUntilMs: askedMs + LEASE.validMs,
      noted: JSON.stringify(note),
    };
    isUnsure = false;
  }

  async function renew(note: Note, known: { revision: number; renewedMs: number; noted: string }): Promise<void> {
    const everyMs = JSON.stringify(note) === known.noted ? LEASE.renewMs : LEASE.newsMs;
    if (!isUnsure && nowMs() - known.renewedMs < everyMs) return;
    isUnsure = true;
    await write(note, known.revision);
  }

  /** Whether nobody holds it, as far as can be seen from here. */
  function isFree(found: Found<Kept<Note>> | undefined, reserveMs: number): boolean {
    const isFirstLook = seen === undefined;
    const revision = found?.revision ?? 0;
    if (seen?.revision !== revision) seen = { revision, sinceMs: nowMs() };
    const { holder, node: by } = found?.value ?? last ?? { holder: '', node };
    if (holder === self || (holder === '' && (by === node || nowMs() - seen.sinceMs >= reserveMs))) return true;
    // A process that has never looked before is a new one of its node, whose last one is gone.
    return (isFirstLook && by === node) || nowMs() - seen.sinceMs > LEASE.goneMs + reserveMs;
  }

  return {
    /** Whether this process holds it now. False before any other process may take it. */
    isHeld,
    /** What was noted last, by whomever, as far as is known here. */
    noted: (): Note | undefined => last?.note,
    /**
     * Takes it where it is free, renews it where it is held: to be called every `LEASE.lookMs`.
     * @param note what is to be noted now
     * @param reserveMs for how long it is left to others who want it too
     * @returns what was found where it has just been taken
     * @throws NatsError where the broker does not answer, or somebody else was faster
     */
    async look(note: () => Note, reserveMs = 0): Promise<Taken<Note> | undefined> {
      if (!isHeld()) held = undefined;
      if (held && !isUnsure) return void (await renew(note(), held));
      const found = await records.get<Kept<Note>>(key);
      if (held && (!found || found.value.holder === self)) {
        return void (await renew(note(), { ...held, revision: found?.revision ?? 0 }));
      }
      held = undefined;
      const isAvailable = isFree(found, reserveMs);
      const before = found?.value ?? last;
      last = before;
      if (!isAvailable) return undefined;
      await write(before ? before.note : note(), found?.revision ?? 0);
      return { found: before?.note, wasOurs: before?.node === node };
    },
    /** Gives it up, so that the next one need not wait. @throws NatsError */
    async release(note: Note): Promise<void> {
      if (!held) return;
      const { revision } = held;
      held = undefined;
      await records.replace(key, { node, holder: '', note } satisfies Kept<Note>, revision);
    },
  };
}
