import { expect } from 'chai';
import { isFor, meets, ping, publish } from '../../../domain/event.ts';
import { AT_MS, CHANNEL_ID, EVENT_ID, iso, WEBHOOK_ID } from '../../support/sample.ts';

describe('event', () => {
  it('is published with all that was given and when', () => {
    const given = {
      ...{ event_name: 'order.created', ext_ref_code: 'A-1', event_url: 'https://publisher.example/1' },
      data: { total: 12, lines: [{ sku: 'x' }], nothing: null },
    };
    const fact = publish(EVENT_ID, CHANNEL_ID, given, AT_MS);
    expect(fact.type).to.equal('EventPublished');
    const ids = { id: EVENT_ID, channel_id: CHANNEL_ID };
    expect(fact.data).to.deep.equal({ ...ids, ...given, published_at: iso(AT_MS) });
  });

  it('leaves out what was not given', () => {
    const { data } = publish(EVENT_ID, CHANNEL_ID, { event_name: 'ping' }, AT_MS);
    expect(Object.keys(data)).to.deep.equal(['id', 'channel_id', 'event_name', 'published_at']);
  });

  it('is for all webhooks of its channel, a ping for one alone', () => {
    const webhook = { id: WEBHOOK_ID, channel_id: CHANNEL_ID };
    const { data } = ping(EVENT_ID, webhook, AT_MS);
    const ids = { id: EVENT_ID, channel_id: CHANNEL_ID, webhook_id: WEBHOOK_ID };
    expect(data).to.deep.equal({ ...ids, event_name: 'ping', published_at: iso(AT_MS) });
    const all = publish(EVENT_ID, CHANNEL_ID, { event_name: 'ping' }, AT_MS).data;
    for (const [event, id, expected] of [
      [data, WEBHOOK_ID, true],
      [data, WEBHOOK_ID + 1, false],
      [all, WEBHOOK_ID + 1, true],
    ] as const) {
      expect(isFor(event, { id, fields: {} })).to.equal(expected);
    }
  });

  it('is for webhooks of its kind alone, unless it is a ping', () => {
    const operational = { id: WEBHOOK_ID, fields: { kind: 'operational' as const, event_names: ['order.*'] } };
    const ordinary = { id: WEBHOOK_ID, fields: {} };
    const event = publish(EVENT_ID, CHANNEL_ID, { event_name: 'order.created' }, AT_MS).data;
    const told = { ...event, kind: 'operational' as const };
    expect([event, told].map((each) => meets(each, ordinary))).to.deep.equal([true, false]);
    expect([event, told].map((each) => meets(each, operational))).to.deep.equal([false, true]);
    expect(meets({ ...told, event_name: 'webhook.failing' }, operational)).to.equal(false);
    const pinged = ping(EVENT_ID, { id: WEBHOOK_ID, channel_id: CHANNEL_ID }, AT_MS).data;
    expect([operational, ordinary].map((webhook) => meets(pinged, webhook))).to.deep.equal([true, true]);
  });

  it('keeps an empty object apart from none', () => {
    expect(publish(EVENT_ID, CHANNEL_ID, { event_name: 'ping', data: {} }, AT_MS).data.data).to.deep.equal({});
  });
});
