import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { type Fact, stream } from '../../domain/facts.ts';
import { firstIdAt } from '../../domain/ids.ts';
import { type RetentionFact, retentionMarginMs } from '../../domain/retention.ts';
import { type EventStore, NO_STREAM_YET, type StoredEvent, toFact } from '../../infra/event-store/client.ts';
import type { Logger } from '../../infra/log.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { Remains } from '../remains.ts';
import { systemFact } from '../system-fact.ts';
import type { Term } from './leadership.ts';
import {
  createKeeper,
  LOOK_MS,
  type OwnTree,
  PAGE,
  truncateAll,
  whenAllIsRead,
  whenHeadCovers,
  whenRead,
} from './truncation.ts';

export interface ExpirerDeps {
  readonly store: Pick<EventStore, 'read' | 'storedIn' | 'append' | 'truncate' | 'lastPosition'>;
  readonly readModels: Pick<ReadModels, 'expiries' | 'events' | 'happenings'>;
  readonly progress: Pick<Progress, 'whenProcessed'>;
  readonly tree: OwnTree;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** RETENTION. */
  readonly retentionMs: number;
}

/** Lets go what is older than RETENTION and over: first from the read models, then from the log. The facts that say so are the only memory of where it is. */
export function createExpirer(deps: ExpirerDeps) {
  const { store, progress, tree, log } = deps;
  const { expiries, events, happenings } = deps.readModels;
  let revision = NO_STREAM_YET;

  async function append(fact: RetentionFact, term: Term) {
    const appended = await store.append(stream.retention, [systemFact<Fact>(fact, stream.retention)], revision);
    revision = appended.revision;
    await whenRead(progress, appended.position, term);
  }

  /** Also truncates again what the last fact may not have come to. */
  async function begin() {
    const [last] = await store.read<RetentionFact>(stream.retention, { last: 1 });
    revision = last?.revision ?? NO_STREAM_YET;
    if (last?.type === 'StreamsTruncated') await truncateAll(store, last.data.streams);
  }

  async function expireEvents(before: number, term: Term): Promise<number> {
    let gone = 0;
    for (let page = expiries.oldest(0, before); page && !term.isOver(); page = expiries.oldest(page.below, before)) {
      const { from, below, kept, count } = page;
      if (kept.length < count) await append({ type: 'EventsExpired', data: { from, below, kept } }, term);
      gone += count - kept.length;
      await setImmediate();
    }
    return gone;
  }

  const isGone = (event: StoredEvent, before: number) => {
    const { data } = toFact(event) as { data: { id: number; event_id?: number } };
    const id = data.event_id ?? data.id;
    return id < before && events.position(id) === undefined;
  };

  /**
   * Writes down what remains of a stream's facts, up to the first that is of an event that is kept.
   * @returns when the last of them was recorded, in ms since the epoch; undefined where there is none
   */
  async function keepRemains(
    name: string,
    before: number,
    keeper: ReturnType<typeof createKeeper>,
    remains: Remains,
  ): Promise<number | undefined> {
    const known = remains.before(name);
    let recordedMs: number | undefined;
    for (let from = 0; ; ) {
      const page = await store.storedIn(name, from, PAGE);
      const end = page.findIndex((event) => !isGone(event, before));
      const own = end < 0 ? page : page.slice(0, end);
      await keeper.add(own.filter((event) => event.revision >= known));
      const last = own.at(-1);
      if (last) recordedMs = toFact(last).recordedAtMs;
      if (end >= 0 || page.length < PAGE) return recordedMs;
      from = (page.at(-1)?.revision ?? 0) + 1;
    }
  }

  async function truncateChannel(channelId: number, before: number, remains: Remains, term: Term) {
    const names = [stream.events(channelId), stream.deliveries(channelId)];
    await whenAllIsRead(deps, term);
    const keeper = createKeeper(store, channelId, remains);
    const ends: (number | undefined)[] = [];
    for (const name of names) ends.push(await keepRemains(name, before, keeper, remains));
    await keeper.flush();
    const last = Math.max(...names.map((name) => remains.lastOf(name)));
    if (last >= 0) await whenHeadCovers(tree, last, term);
    const streams = names.map((name) => ({ stream: name, before: remains.before(name) }));
    // What is noted by then is void behind the fact.
    while (happenings.isUntold(channelId)) await delay(LOOK_MS, undefined, { signal: term.signal });
    const [, attemptsMs] = ends;
    const counted_until = attemptsMs === undefined ? null : new Date(attemptsMs).toISOString();
    const failing = expiries.failing(channelId).filter(({ since }) => since <= (counted_until ?? ''));
    const told = expiries.told(channelId);
    const data = { channel_id: channelId, streams, counted_until, failing, told };
    await append({ type: 'StreamsTruncated', data }, term);
    await truncateAll(store, streams);
  }

  return {
    begin,
    /** Lets go all that may go by now. */
    async round(remains: Remains, term: Term): Promise<void> {
      const { retentionMs, nowMs } = deps;
      const before = firstIdAt(nowMs() - retentionMs - retentionMarginMs(retentionMs));
      const gone = await expireEvents(before, term);
      await remains.catchUp();
      let channels = 0;
      for (let id = expiries.channelAfter(0); id !== undefined && !term.isOver(); id = expiries.channelAfter(id)) {
        await truncateChannel(id, before, remains, term);
        channels += 1;
      }
      if (gone > 0) log.info({ events: gone, channels }, 'events older than RETENTION have gone');
    },
  };
}
