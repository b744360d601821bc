import type { Facts } from './fact.ts';
import { Refusal } from './refusal.ts';

export type GuidFact = Facts<{
  GuidReserved: { guid: string; channel_id: number; at: string };
  GuidReleased: { guid: string; channel_id: number };
}>;

export type GuidReservation =
  | { readonly status: 'free' }
  | { readonly status: 'reserved'; readonly channelId: number; readonly atMs: number };

export const FREE_GUID: GuidReservation = { status: 'free' };

export function evolveGuid(_: GuidReservation, fact: GuidFact): GuidReservation {
  switch (fact.type) {
    case 'GuidReserved':
      return { status: 'reserved', channelId: fact.data.channel_id, atMs: Date.parse(fact.data.at) };
    case 'GuidReleased':
      return FREE_GUID;
  }
}

export interface ReserveGuid {
  readonly type: 'ReserveGuid';
  readonly guid: string;
  readonly channelId: number;
  readonly atMs: number;
  /** What became of the channel that holds the reservation now; `none` where it was never created. */
  readonly holder: 'none' | 'live' | 'deleted';
}

export type GuidCommand =
  | ReserveGuid
  | { readonly type: 'ReleaseGuid'; readonly guid: string; readonly channelId: number };

/** How long a reservation holds for a channel that has yet to be created, in ms. */
export const RESERVATION_MS = 60_000;

/**
 * What reserving or releasing a guid makes happen.
 * @throws Refusal guid-taken
 */
export function decideGuid(reservation: GuidReservation, command: GuidCommand): GuidFact[] {
  const held = reservation.status === 'reserved' ? reservation : undefined;
  const { guid, channelId: channel_id } = command;
  const isOurs = held?.channelId === channel_id;
  switch (command.type) {
    case 'ReserveGuid': {
      if (isOurs) return [];
      if (held && isKept(held.atMs, command)) throw new Refusal('guid-taken', `The guid "${guid}" is taken.`, 'guid');
      return [{ type: 'GuidReserved', data: { guid, channel_id, at: new Date(command.atMs).toISOString() } }];
    }
    case 'ReleaseGuid':
      return isOurs ? [{ type: 'GuidReleased', data: { guid, channel_id } }] : [];
  }
}

function isKept(reservedAtMs: number, { holder, atMs }: ReserveGuid): boolean {
  switch (holder) {
    case 'live':
      return true;
    case 'deleted':
      return false;
    case 'none':
      return atMs - reservedAtMs <= RESERVATION_MS;
  }
}
