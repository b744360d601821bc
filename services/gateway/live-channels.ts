import type { LiveChannel } from '../../domain/channel.ts';
import { stream } from '../../domain/facts.ts';
import type { ChannelQueries } from '../../projections/channels.ts';
import type { Freshness } from './freshness.ts';

/** How long a channel is taken to be as it was read, in ms: a key that was rotated out at another gateway is taken for so much longer than the projector needs. */
const KEPT_MS = 10;
const KEPT = 10_000;

export type LiveChannels = ReturnType<typeof createLiveChannels>;

/**
 * The channels that live, as far as it is known here, kept for a moment: a publish then reads no row. What this gateway itself
 * appends to a channel holds at once.
 */
export function createLiveChannels(channels: ChannelQueries, freshness: Freshness) {
  const kept = new Map<number, { readonly channel: LiveChannel; readonly untilMs: number }>();

  function read(id: number): LiveChannel | undefined {
    const channel = channels.byId(id);
    if (!channel) return undefined;
    if (kept.size >= KEPT) kept.clear();
    kept.set(id, { channel, untilMs: performance.now() + KEPT_MS });
    return channel;
  }

  return {
    /** @throws Problem read-models-behind */
    async byId(id: number): Promise<LiveChannel | undefined> {
      const known = kept.get(id);
      if (known && known.untilMs > performance.now()) return known.channel;
      const name = stream.channel(id);
      // No turn may pass between the last look and the read: what another request appends in it would be kept unseen.
      for (let pending = freshness.whenRead(name); pending; pending = freshness.whenRead(name)) await pending;
      return read(id);
    },
    /** @throws Problem read-models-behind */
    async byGuid(guid: string): Promise<LiveChannel | undefined> {
      await freshness.whenRead(stream.guid(guid));
      const id = channels.byGuid(guid)?.id;
      return id === undefined ? undefined : this.byId(id);
    },
    /** Says that this gateway appended to the stream of a channel or of one of its webhooks. */
    changed(id: number, position: number): void {
      kept.delete(id);
      freshness.wrote(stream.channel(id), position);
    },
  };
}
