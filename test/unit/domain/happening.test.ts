import { expect } from 'chai';
import { openDelivery } from '../../../domain/delivery.ts';
import { beganToFail, deliveryFailed, tell, wasAutoPaused } from '../../../domain/happening.ts';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK } from '../../../domain/webhook.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  EVENT_ID,
  iso,
  published,
  WEBHOOK_ID,
  WEBHOOK_PAUSED,
  webhookCreated,
} from '../../support/sample.ts';

const webhook = evolveWebhook(NO_WEBHOOK, webhookCreated({ name: 'a subscriber' })) as LiveWebhook;
const named = { webhook_id: WEBHOOK_ID, name: 'a subscriber', webhook_url: webhook.fields.webhook_url };

describe('what operational webhooks are told', () => {
  it('of a webhook that begins to fail: which, since when, and what came', () => {
    expect(beganToFail(webhook, attempted({ response_body: 'a secret' }).data)).to.deep.equal({
      event_name: 'webhook.failing',
      data: { ...named, failing_since: iso(AT_MS), event_id: EVENT_ID, status_code: 500, error: null, duration_ms: 12 },
    });
  });

  it('of one that was paused because it had failed for too long, and of no other pause', () => {
    expect(wasAutoPaused(webhook, WEBHOOK_PAUSED)).to.equal(undefined);
    const paused = { type: 'WebhookPaused', data: { reason: 'failing', failing_since: iso(AT_MS) } } as const;
    expect(wasAutoPaused(webhook, paused)).to.deep.equal({
      event_name: 'webhook.auto_paused',
      data: { ...named, failing_since: iso(AT_MS) },
    });
  });

  it('of a delivery that was given up: which event, how many attempts, and the last of them', () => {
    const event = published({ ext_ref_code: 'ref-1', data: { card: '4111' } }).data;
    const delivery = { ...openDelivery(event, webhook), attempts: [attempted().data, attempted().data] };
    const last = attempted({ status_code: null, error: 'timeout', at: iso(AT_MS + 5) }).data;
    expect(deliveryFailed(webhook, delivery, event, last)).to.deep.equal({
      event_name: 'delivery.failed',
      data: {
        ...named,
        ...{ event_id: EVENT_ID, event_name: 'order.created', ext_ref_code: 'ref-1', attempt_count: 2 },
        last_attempt: { at: iso(AT_MS + 5), status_code: null, error: 'timeout', duration_ms: 12 },
      },
    });
  });

  it('is an event of the channel, of another kind', () => {
    const happening = { event_name: 'webhook.failing', data: { webhook_id: WEBHOOK_ID } } as const;
    expect(tell(7, CHANNEL_ID, happening, AT_MS)).to.deep.equal({
      type: 'EventPublished',
      data: { id: 7, channel_id: CHANNEL_ID, ...happening, published_at: iso(AT_MS), kind: 'operational' },
    });
  });
});
