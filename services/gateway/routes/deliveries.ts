import Type from 'typebox';
import { NewEvent } from '../../../domain/event.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { logEntry } from '../../../domain/notification-log.ts';
import type { ListedDelivery } from '../../../projections/delivery-list.ts';
import { DEFAULT_LIMIT, eventFilters, idsIn, listQuery } from '../query.ts';
import { Part, route } from '../route.ts';
import { Attempt, EventId, Nullable, Status, Time, Towards } from './answers.ts';

export const DeliveryAnswer = Type.Object(
  {
    event_id: EventId,
    event_name: NewEvent.properties.event_name,
    ext_ref_code: NewEvent.properties.ext_ref_code,
    published_at: Time,
    ...Towards,
    status: Status,
    attempt_count: Type.Integer({ minimum: 0, examples: [1] }),
    last_attempt: Nullable(Attempt),
  },
  { title: 'Delivery' },
);

export const deliveryRoutes = [
  route({
    method: 'GET',
    path: '/v1/channels/:channel/webhooks/:webhook/deliveries',
    access: 'webhook-owner',
    operation: 'listDeliveries',
    summary: 'List the deliveries of a webhook, newest event first',
    query: Closed({ ...listQuery(DEFAULT_LIMIT).properties, ...eventFilters }),
    answer: Type.Array(DeliveryAnswer),
    async handle({ channel, webhook, query }, { readModels, freshness }) {
      await freshness.whenRead(stream.events(channel.id));
      const { after, limit = DEFAULT_LIMIT } = query;
      const { items, next } = readModels.lists.deliveries(webhook, query, { ...idsIn(query), after, limit });
      return new Part(items.map(deliveryAnswer), next);
    },
  }),
];

function deliveryAnswer({ delivery, ...event }: ListedDelivery) {
  const { webhook_url, status, next_attempt_at, attempts } = logEntry(delivery);
  return {
    ...{ event_id: delivery.event_id, ...event, webhook_url, status, next_attempt_at },
    ...{ attempt_count: attempts.length, last_attempt: attempts.at(-1) ?? null },
  };
}
