import { type RecordedFact, stream } from '../domain/facts.ts';
import type { RemainsFact } from '../domain/remains.ts';
import { type EventStore, toFact } from '../infra/event-store/client.ts';
import type { Leaf } from '../projections/merkle/leaf.ts';
import { type KnownStretch, knownStretch, leavesOf } from '../projections/merkle/remains.ts';

/** Facts read at a time: each may have half a MiB. */
const AT_A_TIME = 16;

/** A fact that holds leaves, and the positions of the first and the last of these. */
interface Holder {
  readonly revision: number;
  readonly first: number;
  readonly last: number;
}

export type Remains = ReturnType<typeof createRemains>;

/**
 * What remains of erased facts, as far as it has been read: where each stretch belongs is kept in mind, its leaves are read where they are needed. Remains are in the log before
 * their facts go: whoever has read a part of the log and then asks here has each fact of it, or its leaf.
 */
export function createRemains(store: Pick<EventStore, 'storedIn'>) {
  const holders: Holder[] = [];
  /** By stream. */
  const stretches = new Map<string, KnownStretch[]>();
  /** The leaves of those holders that the part of the log that was asked for last lies amid. */
  const open = new Map<Holder, readonly Leaf[]>();
  let revision = -1;
  let position = -1;

  async function factsFrom(from: number, count: number) {
    const events = await store.storedIn(stream.remains, from, count);
    return events.map((event) => toFact(event) as RecordedFact<RemainsFact>);
  }

  function keep(fact: RecordedFact<RemainsFact>) {
    const { channel_id, stretches: found } = fact.data;
    const known = found.map((stretch) => knownStretch(stretch, channel_id));
    for (const [n, { stream: name }] of found.entries()) stretchesOf(name).push(known[n] as KnownStretch);
    const first = known.reduce((least, stretch) => Math.min(least, stretch.first), Number.POSITIVE_INFINITY);
    const last = known.reduce((most, stretch) => Math.max(most, stretch.last), -1);
    holders.push({ revision: fact.revision, first, last });
    ({ revision, position } = fact);
  }

  function stretchesOf(name: string): KnownStretch[] {
    const known = stretches.get(name) ?? [];
    stretches.set(name, known);
    return known;
  }

  async function leavesIn(holder: Holder): Promise<readonly Leaf[]> {
    const [fact] = await factsFrom(holder.revision, 1);
    return fact?.revision === holder.revision ? fact.data.stretches.flatMap(leavesOf) : [];
  }

  const remains = {
    /** Reads what has come since. @throws StoreUnavailable */
    async catchUp(): Promise<void> {
      let facts: RecordedFact<RemainsFact>[];
      do {
        facts = await factsFrom(revision + 1, AT_A_TIME);
        for (const fact of facts) keep(fact);
      } while (facts.length === AT_A_TIME);
    },
    /** Revision and position of the last fact that was read; -1 where there is none. */
    revision: (): number => revision,
    position: (): number => position,
    /**
     * The leaves of erased facts behind `after` up to `upTo`, in the order of the log, each once. What the log held there must have been read before.
     * @throws StoreUnavailable
     */
    async between(after: number, upTo: number): Promise<Leaf[]> {
      await remains.catchUp();
      for (const holder of open.keys()) if (holder.last <= after) open.delete(holder);
      const leaves = new Map<number, Leaf>();
      for (const holder of holders.filter(({ first, last }) => last > after && first <= upTo)) {
        const all = open.get(holder) ?? (await leavesIn(holder));
        if (holder.last > upTo) open.set(holder, all);
        for (const leaf of all) if (leaf.position > after && leaf.position <= upTo) leaves.set(leaf.position, leaf);
      }
      return [...leaves.values()].sort((a, b) => a.position - b.position);
    },
    /** The first revision of a stream, from `from` on, that has left nothing. */
    before(name: string, from = 0): number {
      // A stream is erased from its beginning: its stretches follow each other.
      const own = stretches.get(name) ?? [];
      return own.reduce((at, stretch) => (stretch.from <= at ? Math.max(at, stretch.before) : at), from);
    },
    /** Position of the last fact of a stream that has left something; -1 where none has. */
    lastOf: (name: string): number => stretches.get(name)?.at(-1)?.last ?? -1,
    /** Ids of the channels whose streams' facts have left something, of the streams that are named so. */
    channels(pattern: RegExp): number[] {
      const found = [...stretches].flatMap(([name, own]) => (pattern.test(name) ? own : []));
      return [...new Set(found.map(({ channelId }) => channelId))];
    },
    /** How many facts have left something. */
    count: (): number => [...stretches.values()].flat().reduce((sum, { from, before }) => sum + before - from, 0),
    /** All stretches of a channel's streams. */
    ofChannel: (channelId: number): KnownStretch[] =>
      [...stretches.values()].flat().filter((stretch) => stretch.channelId === channelId),
  };
  return remains;
}

/** The erased leaves whose facts the log holds no more: those that it still holds speak for themselves. */
export function withoutFacts(
  erased: readonly Leaf[],
  facts: readonly { readonly position: number }[],
): readonly Leaf[] {
  if (erased.length === 0) return erased;
  const there = new Set(facts.map(({ position }) => position));
  return erased.filter(({ position }) => !there.has(position));
}
