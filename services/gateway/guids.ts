import { stream } from '../../domain/facts.ts';
import type { GuidReservation, ReserveGuid } from '../../domain/guid.ts';
import type { EventStore } from '../../infra/event-store/client.ts';
import { CHANNEL, carryOut, GUID, type Stamp } from './commands.ts';
import type { Gateway } from './context.ts';

/**
 * Makes a guid the stamp's channel's own, before that is created.
 * @throws Refusal guid-taken; Problem contended; StoreUnavailable
 */
export async function reserveGuid({ store, nowMs }: Gateway, guid: string, stamp: Stamp): Promise<void> {
  const command = async (reservation: GuidReservation): Promise<ReserveGuid> => ({
    type: 'ReserveGuid',
    guid,
    channelId: stamp.about,
    atMs: nowMs(),
    holder: await holderOf(store, reservation),
  });
  await carryOut(store, stream.guid(guid), GUID, command, stamp);
}

async function holderOf(store: EventStore, reservation: GuidReservation): Promise<ReserveGuid['holder']> {
  if (reservation.status === 'free') return 'none';
  const facts = await store.read(stream.channel(reservation.channelId));
  return facts.reduce(CHANNEL.evolve as never, CHANNEL.nothing).status;
}

/** Frees the guid of a channel that is deleted. Where that fails, the next to reserve it finds its holder deleted. */
export async function releaseGuid({ store, log }: Gateway, guid: string, stamp: Stamp): Promise<void> {
  const command = { type: 'ReleaseGuid', guid, channelId: stamp.about } as const;
  try {
    await carryOut(store, stream.guid(guid), GUID, command, stamp);
  } catch (err) {
    log.warn({ err, guid, channel_id: stamp.about }, 'the guid of a deleted channel was not released');
  }
}
