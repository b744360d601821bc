import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { foldSkipped } from '../../../domain/skipped.ts';
import {
  CHANNEL_ID,
  EVENT_ID,
  type Place,
  published,
  recorded,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
  webhookUpdated,
} from '../../support/sample.ts';

const WEBHOOK = stream.webhook(WEBHOOK_ID);
const PUBLISHED: Place = [stream.events(CHANNEL_ID), published({ event_name: 'order.created' })];
const URL_NOW = 'https://now.example/';
const skippedIn = (...places: Place[]) => foldSkipped(recorded(...places), EVENT_ID);
const only = { event_names: ['user.*'] };

describe('webhooks that were not sent an event', () => {
  it('are none where all were', () => {
    expect(skippedIn([WEBHOOK, webhookCreated()], PUBLISHED, [WEBHOOK, WEBHOOK_DELETED])).to.deep.equal([]);
    expect(skippedIn([WEBHOOK, webhookCreated(only)])).to.deep.equal([]);
  });

  it('did not ask for it then, whatever they ask for now', () => {
    const [entry] = skippedIn([WEBHOOK, webhookCreated(only)], PUBLISHED, [
      ...[WEBHOOK, webhookUpdated({ webhook_url: URL_NOW, event_names: null })],
    ] as unknown as Place);
    expect(entry).to.deep.equal({
      ...{ webhook_id: WEBHOOK_ID, webhook_url: `https://subscriber.example/${WEBHOOK_ID}`, status: 'skipped' },
      ...{ reason: 'event_names', next_attempt_at: null, attempts: [] },
    });
  });

  it('were created later', () => {
    const [entry] = skippedIn(PUBLISHED, [WEBHOOK, webhookCreated()], [WEBHOOK, webhookUpdated()]);
    expect(entry).to.include({
      reason: 'created_later',
      webhook_url: `https://subscriber.example/${WEBHOOK_ID}`,
    });
    expect(skippedIn(PUBLISHED, [WEBHOOK, webhookCreated()], [WEBHOOK, WEBHOOK_DELETED])[0]).to.include({
      reason: 'created_later',
    });
  });

  it('were deleted before, and are named by their last URL', () => {
    const changed: Place = [WEBHOOK, webhookUpdated({ webhook_url: URL_NOW })];
    const [entry] = skippedIn([WEBHOOK, webhookCreated()], changed, [WEBHOOK, WEBHOOK_DELETED], PUBLISHED);
    expect(entry).to.include({ reason: 'deleted_before', webhook_url: URL_NOW });
  });

  it('are those of its channel, ids ascending', () => {
    const created = (id: number, channel_id = CHANNEL_ID): Place => [
      ...([stream.webhook(id), webhookCreated({ id, channel_id })] as const),
    ];
    const entries = skippedIn(PUBLISHED, created(3), created(1), created(2, CHANNEL_ID + 1));
    expect(entries.map(({ webhook_id }) => webhook_id)).to.deep.equal([1, 3]);
  });
});
