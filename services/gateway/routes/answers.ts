import Type, { type TSchema } from 'typebox';
import { NewEvent } from '../../../domain/event.ts';
import { ACTORS } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { NewWebhook } from '../../../domain/webhook.ts';

/** An id; which one an example shows tells what it is of. */
const id = (example: number) => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [example] });

export const ChannelId = id(9999);
export const WebhookId = id(123456);
export const EventId = id(567890);
export const RequestId = id(987654);

export const Time = Type.String({ format: 'date-time', examples: ['2026-11-24T09:00:00.000Z'] });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const By = Type.Enum(ACTORS, { description: 'The kind of key that asked.', examples: ['publisher'] });

export const Deleted = Type.Object({ response: Type.Literal('ok') }, { title: 'Deleted' });

/** Of what something was: the revision that made it so, and when the store took that. */
export const Past = { revision: Type.Integer({ minimum: 0 }), recorded_at: Time };
/** The body of a POST that says all with its path. */
export const NoFields = Closed({});

export const Status = Type.Enum(['pending', 'delivered', 'failed', 'cancelled'], { examples: ['delivered'] });

export const EventAnswer = Type.Object(
  {
    id: EventId,
    channel_id: ChannelId,
    ...NewEvent.properties,
    webhook_id: Type.Optional(Type.Integer({ description: 'The one webhook that a ping is for.' })),
    kind: Type.Optional(
      Type.Literal('operational', { description: 'It tells operational webhooks what happened to the others.' }),
    ),
    published_at: Time,
  },
  { title: 'Event' },
);

export const Attempt = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    at: Time,
    status_code: Nullable(Type.Integer({ examples: [200] })),
    error: Type.Union([Type.String(), Type.Null()], {
      description:
        'What went wrong where there was no status code: `timeout`, `connection_refused`, `connection_reset`, `dns`, `tls`, `protocol`, `blocked_address`.',
      examples: [null],
    }),
    duration_ms: Type.Number({ examples: [12] }),
    response_body: Type.String({ description: 'The first 1,024 bytes of it.', examples: ['thank you'] }),
    trigger: Type.Enum(['publish', 'retry', 'redeliver']),
    webhook_revision: Type.Integer({ description: "Version of the webhook's settings that the attempt used." }),
    redelivery_id: Type.Optional(Type.Integer({ description: 'The redelivery that it was made for.' })),
  },
  { title: 'Attempt' },
);

/** Where a delivery leads, and when it is tried next. */
export const Towards = {
  webhook_url: NewWebhook.properties.webhook_url,
  next_attempt_at: Type.Union([Time, Type.Null()], {
    description: 'Null where none is to come, and while its webhook is paused.',
    examples: [null],
  }),
};
