import { RESERVATION_MS, type ReserveGuid } from '../../../domain/guid.ts';
import { givenGuid } from '../../support/given.ts';
import { AT_MS, iso } from '../../support/sample.ts';

const OURS = 7;
const THEIRS = 8;
const reserved = (channel_id: number, atMs = AT_MS) =>
  ({ type: 'GuidReserved', data: { guid: 'orders', channel_id, at: iso(atMs) } }) as const;
const released = (channel_id: number) => ({ type: 'GuidReleased', data: { guid: 'orders', channel_id } }) as const;
const reserve = (holder: ReserveGuid['holder'], atMs = AT_MS): ReserveGuid => ({
  ...{ type: 'ReserveGuid', guid: 'orders', channelId: OURS, holder, atMs },
});
const release = { type: 'ReleaseGuid', guid: 'orders', channelId: OURS } as const;

describe('guid', () => {
  it('is reserved while it is free', () => {
    givenGuid().when(reserve('none')).then(reserved(OURS));
    givenGuid(reserved(THEIRS), released(THEIRS)).when(reserve('none')).then(reserved(OURS));
  });

  it('is reserved by the same channel again without another fact', () => {
    givenGuid(reserved(OURS))
      .when(reserve('live', AT_MS + 10 * RESERVATION_MS))
      .then();
  });

  it('is taken while the channel that holds it lives, however long', () => {
    givenGuid(reserved(THEIRS))
      .when(reserve('live', AT_MS + 1_000 * RESERVATION_MS))
      .thenRefused('guid-taken', 'guid');
  });

  it('is taken for a minute while its channel has yet to be created, then it may be taken over', () => {
    const held = givenGuid(reserved(THEIRS));
    held.when(reserve('none', AT_MS)).thenRefused('guid-taken', 'guid');
    held.when(reserve('none', AT_MS + RESERVATION_MS)).thenRefused('guid-taken', 'guid');
    const lateMs = AT_MS + RESERVATION_MS + 1;
    held.when(reserve('none', lateMs)).then(reserved(OURS, lateMs));
  });

  it('is not taken over while the clock stands before the reservation', () => {
    givenGuid(reserved(THEIRS))
      .when(reserve('none', AT_MS - 10 * RESERVATION_MS))
      .thenRefused('guid-taken', 'guid');
  });

  it('is free at once where its channel was deleted without releasing it', () => {
    givenGuid(reserved(THEIRS)).when(reserve('deleted')).then(reserved(OURS));
  });

  it('is released by the channel that holds it, once, and by no other', () => {
    givenGuid(reserved(OURS)).when(release).then(released(OURS));
    givenGuid(reserved(OURS), released(OURS)).when(release).then();
    givenGuid(reserved(THEIRS)).when(release).then();
    givenGuid(reserved(OURS), reserved(THEIRS)).when(release).then();
  });
});
