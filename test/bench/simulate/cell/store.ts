import { createEventLoop, type EventLoop } from '../event-loop.ts';
import { MEASURED, STORE_PARTS } from '../measured.ts';
import type { Machines } from './machines.ts';
import type { Event } from './setting.ts';

export interface Fact {
  readonly position: number;
  /** Of a publication; absent: an attempt. */
  readonly published?: Event;
}

interface Reader {
  readonly onlyPublished: boolean;
  /** Where it is served on a thread of its own. */
  readonly loop: EventLoop | undefined;
  readonly receive: (facts: readonly Fact[]) => void;
}

interface Append {
  readonly facts: readonly (Event | undefined)[];
  readonly done: (lastPosition: number) => void;
}

export type Store = ReturnType<typeof createStore>;

/**
 * The leader of the event store: one transaction, and one flush to disk, for all appends of a turn; then everybody who follows the log gets them. On one machine that is
 * the local store, where the same thread does that; on many, whom it serves costs it cores and not its writer, and only what each fact costs.
 */
export function createStore(machines: Machines, turnMs: number, eventMs: number, flushMs: number) {
  const { timeline, storeCores, hopMs, isSpread, quorumMs, replicating } = machines;
  const scale = eventMs / MEASURED.fullLoadMs.store;
  const giveMs = scale * STORE_PARTS.giveMs;
  const appendMs = scale * replicating * STORE_PARTS.appendMs;
  const readers: Reader[] = [];
  let head = -1;
  let written: { readonly facts: readonly Fact[]; readonly done: (lastPosition: number) => void }[] = [];
  const writer = createEventLoop(timeline, storeCores, { turnMs, afterTurn: commit });

  function commit() {
    if (written.length === 0) return undefined;
    const appends = written;
    written = [];
    return { waitMs: flushMs, afterwards: () => timeline.after(quorumMs, () => committed(appends)) };
  }

  function committed(appends: typeof written) {
    for (const { facts, done } of appends) timeline.after(hopMs, () => done(facts.at(-1)?.position ?? head));
    const facts = appends.flatMap((append) => append.facts);
    for (const reader of readers) {
      const meant = reader.onlyPublished ? facts.filter(({ published }) => published) : facts;
      if (meant.length === 0) continue;
      const give = () => timeline.after(hopMs, () => reader.receive(meant));
      if (reader.loop) reader.loop.post(giveMs * meant.length, give);
      else give();
    }
  }

  /** How many facts the writer's own thread gives to readers. */
  function given(facts: Append['facts']): number {
    const count = (reader: Reader) => (reader.onlyPublished ? facts.filter(Boolean).length : facts.length);
    return readers.reduce((sum, reader) => sum + (reader.loop ? 0 : count(reader)), 0);
  }

  return {
    /** @param facts publications, and undefined for each attempt */
    append(facts: Append['facts'], done: Append['done']): void {
      const cpuMs = appendMs * facts.length + giveMs * given(facts);
      timeline.after(hopMs, () =>
        writer.post(cpuMs, () => {
          written.push({
            facts: facts.map((published) => ({ position: ++head, ...(published && { published }) })),
            done,
          });
        }),
      );
    },
    follow(onlyPublished: boolean, receive: Reader['receive']): void {
      const loop = isSpread ? createEventLoop(timeline, storeCores, { turnMs: 0 }) : undefined;
      readers.push({ onlyPublished, loop, receive });
    },
    facts: () => head + 1,
    used: () => [writer, ...readers.flatMap(({ loop }) => loop ?? [])].map((loop) => loop.used()),
  };
}
