import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  ErrorCode,
  type JetStreamManager,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from 'nats';
import type { Logger } from '../log.ts';
import { FORMER_SUBJECT, SHARD_SUBJECTS, SHARDS, subjectOfShard } from './shards.ts';
import { RETRY_SUBJECTS, subjectOfSlot, type Tiers } from './tiers.ts';

export const STREAM = 'DELIVERIES';

/** For how long the stream recognises a repeated message id, in ms. */
export const DUPLICATE_WINDOW_MS = 120_000;

/** How often the consumers are tried to be made, where others make or delete them at the same time, and the wait after the first failure, in ms. */
const TRIES = 8;
const PAUSE_MS = 50;
/** How long the stream must have taken no message before it counts as broken, in ms, unless that of a cluster may only have no leader for a while. */
const BROKEN_MS = 1_000;
/** How long a stream that was deleted may take to be gone, in ms. */
export const AFTER_DELETE_MS = 250;

/** Of a request that the client has no method for, as that of its methods. */
const ASKING = { timeout: 5_000 };

export interface StreamOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** Sends a request again where the connection was lost meanwhile. */
  readonly untilAnswered: <T>(send: () => Promise<T>) => Promise<T>;
  readonly ackWaitMs: number;
  /** On how many servers each message is kept. */
  readonly replicas: number;
  readonly tiers: Tiers;
  readonly isCluster: () => boolean;
  /** How long the stream of a cluster may have no leader before it is made anew, in ms. */
  readonly leaderlessMs: number;
  readonly log: Logger;
}

/** One that hands out the messages of a subject. */
export interface Consumer {
  readonly name: string;
  readonly subject: string;
}

/** The consumers by their subjects. */
export type Consumers = ReadonlyMap<string, Consumer>;

/** The stream of the delivery queue and its durable pull consumers: one of each shard of what is live, and one of each slot of what waits long. */
export function createStream({
  nc,
  jsm,
  untilAnswered,
  ackWaitMs,
  replicas,
  tiers,
  isCluster,
  leaderlessMs,
  log,
}: StreamOptions) {
  const due = [FORMER_SUBJECT, ...Array.from({ length: SHARDS }, (_, shard) => subjectOfShard(shard))];
  const subjects = [...due, ...Array.from({ length: tiers.slots }, (_, slot) => subjectOfSlot(slot))];

  /** Since when every message was refused in a way that does not pass, by a monotonic clock. */
  let brokenSinceMs: number | undefined;

  async function ensureConsumers(): Promise<Consumers> {
    const there = await found();
    const named = there.size < subjects.length && isCluster() ? await names() : [];
    const ensured = subjects.map(async (subject) => {
      const name = await ensureConsumer(subject, there.get(subject), named);
      return [subject, { name, subject }] as const;
    });
    return new Map(await Promise.all(ensured));
  }

  /** Streams of former versions had fewer subjects. */
  async function ensureStream(): Promise<void> {
    const config = {
      subjects: [FORMER_SUBJECT, SHARD_SUBJECTS, RETRY_SUBJECTS],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      num_replicas: replicas,
    };
    // Asked first: in a cluster that has lost a server, what makes a stream may hang although there is one.
    const there = await untilAnswered(() => jsm.streams.info(STREAM)).catch(noneIfGone);
    if (!there) await untilAnswered(() => jsm.streams.add({ name: STREAM, ...config }));
    else if (!isSame(there.config, config)) await untilAnswered(() => jsm.streams.update(STREAM, config));
  }

  /**
   * Where a stream is deleted while somebody else makes it, what is then there may tell of itself and take no message, for good (nats-server 2.9.10): it is
   * made anew.
   */
  async function remakeIfBroken(): Promise<void> {
    if (brokenSinceMs === undefined) return;
    if (performance.now() - brokenSinceMs < (isCluster() ? leaderlessMs : BROKEN_MS)) return;
    brokenSinceMs = undefined;
    log.warn('the queue takes no messages: it is made anew');
    await untilAnswered(() => jsm.streams.delete(STREAM)).catch(noneIfGone);
    // Let it be gone. Others may do the same, and one of them comes last.
    await delay(AFTER_DELETE_MS * (1 + Math.random()));
    await ensureStream();
  }

  /**
   * @param there what is known of it; nothing where a cluster has lost who led it
   * @param names of all consumers, where some are not known
   * @returns its name
   */
  async function ensureConsumer(
    subject: string,
    there: ConsumerInfo | undefined,
    names: readonly string[],
  ): Promise<string> {
    const settings = {
      ack_wait: nanos(ackWaitMs),
      max_deliver: -1,
      // Waiting retries count against it: any limit would let them block live traffic.
      max_ack_pending: -1,
    };
    if (there) {
      if (!isConfigured(there, settings)) {
        await untilAnswered(() => jsm.consumers.update(STREAM, there.name, settings));
      }
      return there.name;
    }
    const leaderless = names.find((name) => isNameOf(subject, name));
    if (leaderless) return leaderless;
    const durable_name = newName(subject);
    const ack_policy = AckPolicy.Explicit;
    const deliver_policy = DeliverPolicy.All;
    const config = { durable_name, filter_subject: subject, ack_policy, deliver_policy, ...settings };
    return (await untilAnswered(() => jsm.consumers.add(STREAM, config))).name;
  }

  /** What the stream has of consumers, ours or not: few enough for one answer. */
  const list = () => untilAnswered(() => jsm.consumers.list(STREAM).next());

  const found = async (): Promise<ReadonlyMap<string, ConsumerInfo>> =>
    new Map((await list()).map((consumer) => [consumer.config.filter_subject ?? '', consumer]));

  /** The names of all consumers, also of those that nobody leads: a list of a cluster passes over them, and the client has no request for names. */
  async function names(): Promise<readonly string[]> {
    const answer = await untilAnswered(() => nc.request(`$JS.API.CONSUMER.NAMES.${STREAM}`, '', ASKING));
    const { consumers, error } = answer.json<{ consumers?: string[]; error?: { code: number; description: string } }>();
    if (error) throw new NatsError(error.description, `${error.code}`);
    return consumers ?? [];
  }

  async function deleteConsumer({ name }: Pick<Consumer, 'name'>): Promise<void> {
    await untilAnswered(() => jsm.consumers.delete(STREAM, name)).catch((error) => {
      if (!isGone(error)) throw error;
    });
  }

  async function ensure(): Promise<Consumers> {
    await ensureStream();
    await remakeIfBroken();
    for (let tries = 1; ; tries++) {
      try {
        return await ensureConsumers();
      } catch (error) {
        if (!isTaken(error) || tries === TRIES) throw error;
        // Of a former version, or made by somebody else at the same time.
        for (const consumer of await list()) {
          if (!subjects.includes(consumer.config.filter_subject ?? '')) await deleteConsumer(consumer);
        }
        await delay(PAUSE_MS * tries);
      }
    }
  }

  let ensuring: Promise<Consumers> | undefined;

  return {
    /** Creates the stream and its consumers where they are missing; once for all who ask meanwhile. @throws NatsError */
    ensure(): Promise<Consumers> {
      ensuring ??= ensure().finally(() => {
        ensuring = undefined;
      });
      return ensuring;
    },
    /** Whether these consumers are still there. @throws NatsError */
    async has(consumers: Consumers): Promise<boolean> {
      const names = new Set([...(await found()).values()].map(({ name }) => name));
      return [...consumers.values()].every(({ name }) => names.has(name));
    },
    /** All consumers, in the order of their subjects: those of what is live first. @throws NatsError also where one is missing */
    async consumers(): Promise<{ readonly all: readonly ConsumerInfo[]; readonly due: readonly ConsumerInfo[] }> {
      const there = await found();
      const all = subjects.map((subject) => {
        const consumer = there.get(subject);
        if (!consumer) throw new NatsError(`no consumer of ${subject} tells of itself`, '503');
        return consumer;
      });
      return { all, due: all.slice(0, due.length) };
    },
    /** Takes a consumer away, if it is there. @throws NatsError */
    deleteConsumer,
    /** Makes the consumers anew. @throws NatsError */
    async renewConsumers(): Promise<void> {
      for (const consumer of (await ensure()).values()) await deleteConsumer(consumer);
      await ensure();
    },
    /** Throws every message away. @throws NatsError */
    async empty(): Promise<void> {
      await untilAnswered(() => jsm.streams.purge(STREAM));
    },
    /** Says that it has taken a message. */
    took(): void {
      brokenSinceMs = undefined;
    },
    /** Says that it has not, and why. */
    refused(error: unknown): void {
      if (isBroken(error)) brokenSinceMs ??= performance.now();
    },
    remakeIfBroken,
  };
}

/**
 * A name that no consumer has had. Acknowledgements name the consumer and a message's sequence: those of a stream that is gone must not meet the messages of the
 * one that took its place. And nats-server 2.9 may still be deleting the files of one while it makes another of the same name, which then is broken for good.
 */
const newName = (subject: string): string => `${prefixOf(subject)}${randomUUID()}`;

const prefixOf = (subject: string): string => `${subject.replaceAll('.', '-')}-`;

/** Whether a consumer of that name is one of the subject, and not of one that begins like it. */
const isNameOf = (subject: string, name: string): boolean =>
  name.startsWith(prefixOf(subject)) && name.length === newName(subject).length;

type Configured = Pick<ConsumerConfig, 'ack_wait' | 'max_deliver' | 'max_ack_pending'>;

const isConfigured = ({ config }: ConsumerInfo, { ack_wait, max_deliver, max_ack_pending }: Configured): boolean =>
  config.ack_wait === ack_wait && config.max_deliver === max_deliver && config.max_ack_pending === max_ack_pending;

function isSame({ subjects, num_replicas }: Partial<StreamConfig>, wanted: Partial<StreamConfig>): boolean {
  return num_replicas === wanted.num_replicas && subjects?.join() === wanted.subjects?.join();
}

function noneIfGone(error: unknown): undefined {
  if (!isGone(error)) throw error;
}

/** Whether there are consumers already that would get the same messages: a work queue has one for each. https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const isTaken = (error: unknown): boolean => [10_099, 10_100].includes(errorCode(error));

/** Whether there is a stream of the name with other settings. */
export const isOther = (error: unknown): boolean => errorCode(error) === 10_058;

/** Whether no stream listens, or one whose files are gone (10077 is also said of a full disk, which is another matter). */
const isBroken = (error: unknown): boolean =>
  error instanceof NatsError &&
  error.code === ErrorCode.NoResponders &&
  (error.api_error === undefined || error.api_error.description.includes('no such file'));

/** The number by which JetStream names what is wrong; 0 where it does not say. */
export const errorCode = (error: unknown): number => (error instanceof NatsError && error.api_error?.err_code) || 0;

/** Whether the stream or a consumer was deleted. */
export function isGone(error: unknown): boolean {
  return error instanceof NatsError && ['404', '409'].includes(error.code);
}
