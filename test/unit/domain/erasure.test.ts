import { expect } from 'chai';
import { type ErasureCommand, erasedIn } from '../../../domain/erasure.ts';
import { givenErasure } from '../../support/given.ts';
import {
  AT_MS,
  CHANNEL_ID,
  erasureFinished,
  erasureRequested,
  eventsErased,
  HOUR_MS,
  iso,
  MADE_WITH,
  NOTHING_ERASED,
  streamsErased,
} from '../../support/sample.ts';

const REQUEST: ErasureCommand = {
  type: 'RequestErasure',
  channel: { id: CHANNEL_ID, key_version: 1, key_made_with: MADE_WITH },
  atMs: AT_MS + 2 * HOUR_MS,
  by: 'publisher',
};
const FOUND = { events: 2, attempts: 3, webhooks: 1, facts: 9 };

describe('an erasure', () => {
  it('begins when it is asked for, once', () => {
    givenErasure().when(REQUEST).then(erasureRequested());
    givenErasure(erasureRequested()).when(REQUEST).thenRefused('channel-not-found');
    givenErasure(erasureRequested(), erasureFinished()).when(REQUEST).thenRefused('channel-not-found');
  });

  it('is carried out in steps', () => {
    const given = givenErasure(erasureRequested());
    given.when({ type: 'EraseEvents', below: 7 }).then(eventsErased(7));
    const streams = [{ stream: 'events-1001', before: 2 }];
    given
      .when({ type: 'EraseStreams', streams, upTo: 90, erased: FOUND })
      .then(streamsErased({ streams, up_to: 90, erased: FOUND }));
    given.when({ type: 'FinishErasure', atMs: AT_MS + 3 * HOUR_MS, erased: FOUND }).then(erasureFinished(FOUND));
    givenErasure().when({ type: 'EraseEvents', below: 7 }).then();
  });

  it('is the fold of its facts, and runs again where something came late', () => {
    const asked = { channel_id: CHANNEL_ID, requested_at: iso(AT_MS + 2 * HOUR_MS), by: 'publisher' } as const;
    const finished_at = iso(AT_MS + 3 * HOUR_MS);
    const running = { status: 'running', ...asked, erased: NOTHING_ERASED, finished_at: null } as const;
    const facts = [erasureRequested(), eventsErased(7), streamsErased({ erased: FOUND })];
    givenErasure(...facts.slice(0, 2)).thenState(running);
    givenErasure(...facts).thenState({ ...running, erased: FOUND });
    const finished = { ...running, status: 'finished', erased: FOUND, finished_at } as const;
    givenErasure(...facts, erasureFinished(FOUND)).thenState(finished);
    const more = { ...FOUND, attempts: 4 };
    givenErasure(...facts, erasureFinished(FOUND), streamsErased({ erased: more })).thenState({
      ...running,
      erased: more,
    });
    givenErasure(eventsErased(7)).thenState({ status: 'none' });
  });

  it('counts facts by what they are', () => {
    const types = [
      { EventPublished: 2, RedeliveryRequested: 1 },
      { DeliveryAttempted: 3 },
      { WebhookCreated: 1, WebhookDeleted: 2 },
    ];
    expect(erasedIn(types)).to.deep.equal(FOUND);
    expect(erasedIn([])).to.deep.equal(NOTHING_ERASED);
  });
});
