import { expect } from 'chai';
import { type NewRecovery, type RecoveryCommand, sortOut } from '../../../domain/recovery.ts';
import { givenRecovery } from '../../support/given.ts';
import {
  AT_MS,
  CHANNEL_ID,
  eventsRecovered,
  HOUR_MS,
  iso,
  RECOVERY_ID,
  recoveryFinished,
  recoveryRequested,
  WEBHOOK_ID,
} from '../../support/sample.ts';

const REQUESTED = recoveryRequested();
const request = (wanted: NewRecovery): RecoveryCommand => ({
  ...{ type: 'RequestRecovery', id: RECOVERY_ID, webhook: { id: WEBHOOK_ID, channel_id: CHANNEL_ID } },
  ...{ wanted, atMs: AT_MS, by: 'publisher' },
});

describe('recovery', () => {
  it('is asked for with a time, which ends now at the latest', () => {
    const since = iso(AT_MS - HOUR_MS);
    givenRecovery().when(request({ since })).then(REQUESTED);
    givenRecovery()
      .when(request({ since, until: iso(AT_MS + HOUR_MS) }))
      .then(REQUESTED);
    const until = iso(AT_MS - 1_000);
    givenRecovery()
      .when(request({ since: '2026-11-23T10:00:00+02:00', until, missing: true }))
      .then(recoveryRequested({ since, until, missing: true }));
    givenRecovery(REQUESTED).when(request({ since })).then();
  });

  it('is refused where its time is none', () => {
    for (const wanted of [
      { since: iso(AT_MS) },
      { since: iso(AT_MS + HOUR_MS) },
      { since: iso(AT_MS - 2), until: iso(AT_MS - 2) },
    ]) {
      givenRecovery().when(request(wanted)).thenRefused('fields-invalid', 'since');
    }
  });

  it('counts what it finds, and knows where it is', () => {
    const { data } = REQUESTED;
    const running = { ...data, status: 'running', finished_at: null } as const;
    givenRecovery(REQUESTED).thenState({ ...running, found: { failed: 0, missing: 0 }, through: 0, last: [] });
    const found = [REQUESTED, eventsRecovered({ failed: [3, 7], missing: [5] }), eventsRecovered({ failed: [9] })];
    givenRecovery(...found).thenState({ ...running, found: { failed: 3, missing: 1 }, through: 9, last: [9] });
    givenRecovery(...found)
      .when({ type: 'RecoverEvents', failed: [11], missing: [], atMs: AT_MS })
      .then(eventsRecovered({ failed: [11] }));
    givenRecovery(...found)
      .when({ type: 'FinishRecovery', atMs: AT_MS })
      .then(recoveryFinished({ failed: 3, missing: 1 }));
  });

  it('finds nothing more once it is finished', () => {
    const finished = [REQUESTED, recoveryFinished()];
    givenRecovery(...finished)
      .when({ type: 'RecoverEvents', failed: [11], missing: [], atMs: AT_MS })
      .then();
    givenRecovery(...finished)
      .when({ type: 'FinishRecovery', atMs: AT_MS })
      .then();
  });

  it('is about what failed in its time, and, where that is asked for, what is wanted and was never on its way', () => {
    const at = (id: number, ms: number, status: string | null, isWanted = true) => ({
      ...{ id, published_at: iso(AT_MS + ms), status, isWanted },
    });
    const candidates = [
      ...[at(1, -1, 'failed'), at(2, 0, 'failed'), at(3, 1, 'delivered'), at(4, 2, 'pending'), at(5, 3, 'cancelled')],
      ...[at(6, 4, null), at(7, 5, null, false), at(8, 9, 'failed'), at(9, 10, 'failed'), at(10, 11, null)],
    ];
    const { data } = recoveryRequested({ since: iso(AT_MS), until: iso(AT_MS + 10) });
    expect(sortOut(data, candidates)).to.deep.equal({ failed: [2, 8], missing: [] });
    expect(sortOut({ ...data, missing: true }, candidates)).to.deep.equal({ failed: [2, 8], missing: [6] });
  });
});
