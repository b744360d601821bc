import { DiscardPolicy, type NatsConnection, NatsError, RetentionPolicy, StorageType } from 'nats';
import { errorCode, isOther } from './stream.ts';

/** As a KV bucket of NATS is kept, so that `nats kv get webhooks KEY` shows a record. */
const STREAM = 'KV_webhooks';
const subjectOf = (key: string): string => `$KV.webhooks.${key}`;

/** How long a server may take to answer, in ms: less than the time by which a lease that was not renewed is given up before another takes it. */
const TIMEOUT_MS = 1_000;

/** A record as it was found. */
export interface Found<T> {
  readonly value: T;
  /** Another one after each change. */
  readonly revision: number;
}

export interface Records {
  /** Undefined where there is none. @throws NatsError where the broker does not answer */
  get<T>(key: string): Promise<Found<T> | undefined>;
  /**
   * Replaces a record, or makes it, where it is still as it was known.
   * @param known its revision; 0: there was none
   * @returns its revision from now on
   * @throws NatsError where it was changed by somebody else, or it is not known whether it was replaced
   */
  replace(key: string, value: unknown, known: number): Promise<number>;
}

/** Small records that all nodes share, kept by the broker: what a broker forgets is gone. */
export async function createRecords(nc: NatsConnection, replicas: number): Promise<Records> {
  const js = nc.jetstream({ timeout: TIMEOUT_MS });
  const jsm = await nc.jetstreamManager({ timeout: TIMEOUT_MS, checkAPI: false });

  async function ensure(): Promise<void> {
    const config = {
      subjects: [subjectOf('>')],
      max_msgs_per_subject: 1,
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      allow_rollup_hdrs: true,
      num_replicas: replicas,
    };
    await jsm.streams.add({ name: STREAM, ...config }).catch((error) => {
      if (!isOther(error)) throw error;
      return jsm.streams.update(STREAM, config);
    });
  }

  return {
    async get<T>(key: string) {
      try {
        // Asked of the leader: a follower may not know the last change yet.
        const { data, seq } = await jsm.streams.getMessage(STREAM, { last_by_subj: subjectOf(key) });
        return { value: JSON.parse(new TextDecoder().decode(data)) as T, revision: seq };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async replace(key, value, known) {
      if (known === 0) await ensure();
      const expect = { lastSubjectSequence: known };
      return (await js.publish(subjectOf(key), JSON.stringify(value), { expect })).seq;
    },
  };
}

/** Whether the broker says that there is no such record, or no record at all. */
const isMissing = (error: unknown): boolean =>
  error instanceof NatsError && [10_037, 10_059].includes(errorCode(error));
