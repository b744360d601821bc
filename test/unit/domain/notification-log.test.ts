import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { foldNotificationLog } from '../../../domain/notification-log.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_DELETED,
  CHANNEL_ID,
  channelCreated,
  channelUpdated,
  DELIVERED,
  EVENT_ID,
  eventsRecovered,
  HOUR_MS,
  iso,
  type Place,
  published,
  RECOVERY_ID,
  recorded,
  redeliveryRequested,
  subscriberKeyRotated,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
  webhookUpdated,
} from '../../support/sample.ts';

const OTHER = WEBHOOK_ID + 1;
const CHANNEL = stream.channel(CHANNEL_ID);
const WEBHOOK = stream.webhook(WEBHOOK_ID);
const EVENTS = stream.events(CHANNEL_ID);
const DELIVERIES = stream.deliveries(CHANNEL_ID);

const CREATED: Place[] = [
  [CHANNEL, channelCreated()],
  [WEBHOOK, webhookCreated()],
];
const PUBLISHED: Place[] = [...CREATED, [EVENTS, published()]];

const logOf = (...places: Place[]) => foldNotificationLog(recorded(...places), EVENT_ID);
const statusesOf = (...places: Place[]) => logOf(...places).map(({ webhook_id, status }) => [webhook_id, status]);

describe('notification log', () => {
  it('is empty before the publication, and where no webhook was live at it', () => {
    expect(logOf(...CREATED)).to.deep.equal([]);
    expect(logOf([CHANNEL, channelCreated()], [EVENTS, published()])).to.deep.equal([]);
  });

  it('opens with what is pending, due at once', () => {
    expect(logOf(...PUBLISHED)).to.deep.equal([
      {
        ...{ webhook_id: WEBHOOK_ID, webhook_url: `https://subscriber.example/${WEBHOOK_ID}`, status: 'pending' },
        ...{ next_attempt_at: iso(AT_MS), attempts: [] },
      },
    ]);
  });

  it('numbers the attempts', () => {
    const again = { at: iso(AT_MS + HOUR_MS), trigger: 'retry' } as const;
    const [entry] = logOf(...PUBLISHED, [DELIVERIES, attempted()], [DELIVERIES, attempted({ ...again, ...DELIVERED })]);
    expect(entry).to.include({ status: 'delivered', next_attempt_at: null });
    expect(entry?.attempts.map(({ attempt, at, status_code }) => [attempt, at, status_code])).to.deep.equal([
      [1, iso(AT_MS), 500],
      [2, iso(AT_MS + HOUR_MS), 200],
    ]);
  });

  it('has an entry for each webhook of the channel, ids ascending', () => {
    const other = [stream.webhook(OTHER), webhookCreated({ id: OTHER })] as const;
    const delivered = [DELIVERIES, attempted({ webhook_id: OTHER, ...DELIVERED })] as const;
    expect(statusesOf(other, ...CREATED, [EVENTS, published()], delivered)).to.deep.equal([
      [WEBHOOK_ID, 'pending'],
      [OTHER, 'delivered'],
    ]);
  });

  it('has none for a webhook that was created after the publication', () => {
    expect(logOf([CHANNEL, channelCreated()], [EVENTS, published()], [WEBHOOK, webhookCreated()])).to.deep.equal([]);
  });

  it('has none for a webhook that was deleted before it', () => {
    expect(logOf(...CREATED, [WEBHOOK, WEBHOOK_DELETED], [EVENTS, published()])).to.deep.equal([]);
  });

  it('goes by the URL of the webhook at the publication until the first attempt', () => {
    const before = [WEBHOOK, webhookUpdated({ webhook_url: 'https://before.example/' })] as const;
    const after = [WEBHOOK, webhookUpdated({ webhook_url: 'https://after.example/' })] as const;
    const [entry] = logOf(...CREATED, before, [WEBHOOK, subscriberKeyRotated()], [EVENTS, published()], after);
    expect(entry?.webhook_url).to.equal('https://before.example/');
  });

  it('ends what is pending when its webhook is deleted, and leaves the others', () => {
    const other = [stream.webhook(OTHER), webhookCreated({ id: OTHER })] as const;
    expect(statusesOf(other, ...PUBLISHED, [WEBHOOK, WEBHOOK_DELETED])).to.deep.equal([
      [WEBHOOK_ID, 'cancelled'],
      [OTHER, 'pending'],
    ]);
  });

  it('ends all that is pending when the channel is deleted, and leaves what was delivered', () => {
    const other = [stream.webhook(OTHER), webhookCreated({ id: OTHER })] as const;
    const delivered = [DELIVERIES, attempted({ webhook_id: OTHER, ...DELIVERED })] as const;
    expect(statusesOf(other, ...PUBLISHED, delivered, [CHANNEL, CHANNEL_DELETED])).to.deep.equal([
      [WEBHOOK_ID, 'cancelled'],
      [OTHER, 'delivered'],
    ]);
  });

  it('has no entry for what reached the log behind the deletion of its channel', () => {
    const deleted = [CHANNEL, CHANNEL_DELETED] as const;
    expect(logOf(...CREATED, deleted, [EVENTS, published()])).to.deep.equal([]);
    expect(logOf(...CREATED, deleted, [WEBHOOK, webhookUpdated()], [EVENTS, published()])).to.deep.equal([]);
    const created = [stream.webhook(OTHER), webhookCreated({ id: OTHER })] as const;
    expect(logOf([CHANNEL, channelCreated()], deleted, created, [EVENTS, published()])).to.deep.equal([]);
  });

  it('counts a publication once, where the log has it twice', () => {
    const late = [stream.webhook(OTHER), webhookCreated({ id: OTHER })] as const;
    const once = logOf(...PUBLISHED, [DELIVERIES, attempted(DELIVERED)], late);
    expect(logOf(...PUBLISHED, [DELIVERIES, attempted(DELIVERED)], late, [EVENTS, published()])).to.deep.equal(once);
  });

  it('passes over the facts of other channels, events and webhooks', () => {
    const [channel, webhook, event] = [CHANNEL_ID + 1, WEBHOOK_ID + 7, EVENT_ID + 1];
    const foreign: Place[] = [
      [stream.channel(channel), channelCreated({ id: channel })],
      [stream.webhook(webhook), webhookCreated({ id: webhook, channel_id: channel })],
      [stream.guid('x'), { type: 'GuidReserved', data: { guid: 'x', channel_id: channel, at: iso(AT_MS) } }],
    ];
    const behind: Place[] = [
      [CHANNEL, channelUpdated()],
      [EVENTS, published({ id: event })],
      [stream.events(channel), published({ id: event + 1, channel_id: channel })],
      [DELIVERIES, attempted({ event_id: event })],
      [stream.deliveries(channel), attempted({ event_id: event + 1, webhook_id: webhook })],
      [stream.webhook(webhook), WEBHOOK_DELETED],
      [stream.channel(channel), CHANNEL_DELETED],
    ];
    expect(logOf(...foreign, ...PUBLISHED, ...behind)).to.deep.equal(logOf(...PUBLISHED));
  });

  it('goes on with what is delivered again: to all that are still there, or to one', () => {
    const three: Place[] = [1, 2, 3].map((id) => [stream.webhook(id), webhookCreated({ id })]);
    const delivered: Place[] = [1, 2, 3].map((id) => [DELIVERIES, attempted({ webhook_id: id, ...DELIVERED })]);
    const gone: Place = [stream.webhook(3), WEBHOOK_DELETED];
    const before: Place[] = [[CHANNEL, channelCreated()], ...three, [EVENTS, published()], ...delivered, gone];
    expect(statusesOf(...before, [EVENTS, redeliveryRequested()])).to.deep.equal([
      ...[[1, 'pending'] as const, [2, 'pending'] as const, [3, 'delivered'] as const],
    ]);
    expect(statusesOf(...before, [EVENTS, redeliveryRequested({ webhook_id: 2 })])).to.deep.equal([
      ...[[1, 'delivered'] as const, [2, 'pending'] as const, [3, 'delivered'] as const],
    ]);
    expect(statusesOf(...before, [EVENTS, redeliveryRequested({ webhook_id: 3 })])).to.deep.equal(
      statusesOf(...before),
    );
    expect(logOf(...before, [EVENTS, redeliveryRequested({ event_id: EVENT_ID + 1 })])).to.deep.equal(logOf(...before));
  });

  it('opens an entry for a webhook that the publication did not meet, where it is named', () => {
    const late: Place[] = [
      [CHANNEL, channelCreated()],
      [EVENTS, published()],
      [WEBHOOK, webhookCreated()],
    ];
    expect(logOf(...late, [EVENTS, redeliveryRequested()])).to.deep.equal([]);
    const [entry] = logOf(...late, [EVENTS, redeliveryRequested({ webhook_id: WEBHOOK_ID })]);
    const { id, requested_at, by } = redeliveryRequested().data;
    expect(entry).to.deep.equal({
      ...{ webhook_id: WEBHOOK_ID, webhook_url: `https://subscriber.example/${WEBHOOK_ID}`, status: 'pending' },
      ...{ next_attempt_at: requested_at, attempts: [], redeliveries: [{ id, requested_at, by }] },
    });
  });

  it('goes on with what a recovery finds', () => {
    const recovery = stream.recovery(RECOVERY_ID);
    const failed: Place = [DELIVERIES, attempted({ outcome: 'failed', next_attempt_at: null })];
    const [entry] = logOf(...PUBLISHED, failed, [recovery, eventsRecovered({ failed: [EVENT_ID] })]);
    expect(entry).to.include({ status: 'pending' });
    expect(entry?.redeliveries).to.deep.equal([
      { id: RECOVERY_ID, requested_at: iso(AT_MS), by: 'publisher', recovery: true },
    ]);
    const late: Place[] = [[EVENTS, published()], ...CREATED];
    expect(statusesOf(...late, [recovery, eventsRecovered({ missing: [EVENT_ID] })])).to.deep.equal([
      [WEBHOOK_ID, 'pending'],
    ]);
    expect(statusesOf(...late, [recovery, eventsRecovered({ missing: [EVENT_ID + 1] })])).to.deep.equal([]);
  });

  it('of an event for one webhook has that one alone', () => {
    const other: Place = [stream.webhook(OTHER), webhookCreated({ id: OTHER })];
    const log = [other, ...CREATED, [EVENTS, published({ webhook_id: OTHER })]] as Place[];
    expect(statusesOf(...log)).to.deep.equal([[OTHER, 'pending']]);
    expect(statusesOf(...log, [EVENTS, redeliveryRequested({ webhook_id: WEBHOOK_ID })])).to.deep.equal([
      [OTHER, 'pending'],
    ]);
  });
});
