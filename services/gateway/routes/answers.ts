import Type from 'typebox';
import { NewEvent } from '../../../domain/event.ts';
import { Closed } from '../../../domain/fields.ts';

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const Time = Type.String({ format: 'date-time' });

export const Deleted = Type.Object({ response: Type.Literal('ok') });

/** Of what something was: the revision that made it so, and when the store took that. */
export const Past = { revision: Type.Integer({ minimum: 0 }), recorded_at: Time };
/** The body of a POST that says all with its path. */
export const NoFields = Closed({});

export const Status = Type.Enum(['pending', 'delivered', 'failed', 'cancelled']);

export const EventAnswer = Type.Object({
  id: Id,
  channel_id: Id,
  ...NewEvent.properties,
  webhook_id: Type.Optional(Type.Integer({ description: 'The one webhook that a ping is for.' })),
  kind: Type.Optional(
    Type.Literal('operational', { description: 'It tells operational webhooks what happened to the others.' }),
  ),
  published_at: Time,
});

export const Attempt = Type.Object({
  attempt: Type.Integer({ minimum: 1 }),
  at: Time,
  status_code: Type.Union([Type.Integer(), Type.Null()]),
  error: Type.Union([Type.String(), Type.Null()]),
  duration_ms: Type.Number(),
  response_body: Type.String({ description: 'The first 1,024 bytes of it.' }),
  trigger: Type.Enum(['publish', 'retry', 'redeliver']),
  webhook_revision: Type.Integer({ description: "Version of the webhook's settings that the attempt used." }),
  redelivery_id: Type.Optional(Type.Integer({ description: 'The redelivery that it was made for.' })),
});
