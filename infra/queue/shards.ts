import { createHash } from 'node:crypto';

/** Into how many shards webhooks are divided; no more workers than this share the work. Fixed: workers that count differently look for a message in different places. */
export const SHARDS = 16;

/** Where former versions put what is live, whatever its webhook: it is taken from there as well. */
export const FORMER_SUBJECT = 'deliveries.due';
/** What the subjects of all shards match. */
export const SHARD_SUBJECTS = `${FORMER_SUBJECT}.*`;

/** Where what is live of a shard is, and what of it waits for a short time. */
export const subjectOfShard = (shard: number): string => `${FORMER_SUBJECT}.${shard}`;

/** The shard of a webhook. Its id is hashed: the lowest bits of most ids are the same. */
export function shardOf(webhookId: number): number {
  let hash = Math.imul((webhookId >>> 0) ^ Math.imul(Math.floor(webhookId / 2 ** 32), 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % SHARDS;
}

/**
 * The shards that are `worker`'s where these workers are there, after rendezvous hashing: all who know of the same workers come to the same, and most
 * stay where they are when one comes or goes. Each has its even share, rounded up or down.
 */
export function shardsOf(worker: string, workers: readonly string[]): ReadonlySet<number> {
  const share = Math.floor(SHARDS / workers.length);
  /** How many may have one more than that. */
  let larger = SHARDS % workers.length;
  const taken = new Map(workers.map((id) => [id, 0]));
  const mine = new Set<number>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const weight = new Map(workers.map((id) => [id, weightOf(id, shard)]));
    const most = larger > 0 ? share + 1 : share;
    const free = workers.filter((id) => (taken.get(id) ?? most) < most);
    const owner = free.reduce((best, id) => ((weight.get(id) ?? '') > (weight.get(best) ?? '') ? id : best));
    const has = (taken.get(owner) ?? 0) + 1;
    taken.set(owner, has);
    if (has > share) larger -= 1;
    if (owner === worker) mine.add(shard);
  }
  return mine;
}

const weightOf = (worker: string, shard: number): string =>
  createHash('sha256').update(`${worker} ${shard}`).digest('hex');
