import type { RateLimit } from '../../infra/settings.ts';
import { fieldProblem, Problem } from './problems.ts';

/** Channels that are counted at a time: of more than that, the one that began first is forgotten. */
const COUNTED = 100_000;

interface Used {
  readonly untilMs: number;
  taken: number;
}

export type PublishRate = ReturnType<typeof createPublishRate>;

/**
 * What a channel may publish at this gateway in a window, which begins with the first publication in it, and the header fields that tell it
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10).
 * @param nowMs a monotonic clock
 */
export function createPublishRate({ quota, windowS }: RateLimit, nowMs: () => number) {
  const channels = new Map<number, Used>();
  const policy = `"publish";q=${quota};w=${windowS}`;

  function usedBy(channelId: number, atMs: number): Used {
    const known = channels.get(channelId);
    if (known && known.untilMs > atMs) return known;
    const used = { untilMs: atMs + windowS * 1_000, taken: 0 };
    // Behind the others, which are over sooner.
    channels.delete(channelId);
    channels.set(channelId, used);
    forgetOver(atMs);
    return used;
  }

  function forgetOver(atMs: number) {
    for (const [id, { untilMs }] of channels) {
      if (untilMs > atMs && channels.size <= COUNTED) return;
      channels.delete(id);
    }
  }

  function tooMany(count: number): Problem {
    const message = `must be ${quota} at most, which is what this channel may publish in ${windowS} s, not ${count}`;
    return fieldProblem('fields-invalid', [{ field: 'events', message }]);
  }

  return {
    /**
     * Takes so many events from what the channel has left, or none where that is not enough; with 0 it is only looked whether there is any left.
     * @returns the header fields of the answer, which a refusal has as well
     * @throws Problem rate-limited; fields-invalid for more events than can be left at any time
     */
    take(channelId: number, count = 1): Readonly<Record<string, string>> {
      if (count > quota) throw tooMany(count);
      const atMs = nowMs();
      const used = usedBy(channelId, atMs);
      const resetS = Math.ceil((used.untilMs - atMs) / 1_000);
      const isOver = used.taken + Math.max(count, 1) > quota;
      if (!isOver) used.taken += count;
      const headers = { 'RateLimit-Policy': policy, RateLimit: `"publish";r=${quota - used.taken};t=${resetS}` };
      if (!isOver) return headers;
      const detail = `This channel may publish ${quota} events in ${windowS} s. Nothing was accepted.`;
      throw new Problem('rate-limited', detail, { headers: { ...headers, 'Retry-After': String(resetS) } });
    },
    /** How many channels are remembered. */
    size: (): number => channels.size,
  };
}
