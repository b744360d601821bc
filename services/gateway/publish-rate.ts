import type { RateLimit } from '../../infra/setting-values.ts';
import { fieldProblem, Problem } from './problems.ts';
import { createWindows } from './windows.ts';

/** Channels that are counted at a time. */
const COUNTED = 100_000;

export type PublishRate = ReturnType<typeof createPublishRate>;

/**
 * What a channel may publish at this gateway in a window, which begins with the first publication in it, and the header fields that tell it
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10).
 * @param nowMs a monotonic clock
 */
export function createPublishRate({ quota, windowS }: RateLimit, nowMs: () => number) {
  const channels = createWindows<number>(windowS * 1_000, COUNTED);
  const policy = `"publish";q=${quota};w=${windowS}`;

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
      const window = channels.at(channelId, atMs);
      const resetS = Math.ceil((window.untilMs - atMs) / 1_000);
      const isOver = window.count + Math.max(count, 1) > quota;
      if (!isOver) window.count += count;
      const headers = { 'RateLimit-Policy': policy, RateLimit: `"publish";r=${quota - window.count};t=${resetS}` };
      if (!isOver) return headers;
      const detail = `This channel may publish ${quota} events in ${windowS} s. Nothing was accepted.`;
      throw new Problem('rate-limited', detail, { headers: { ...headers, 'Retry-After': String(resetS) } });
    },
    /** How many channels are remembered. */
    size: channels.size,
  };
}
