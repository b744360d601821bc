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

export const EventAnswer = Type.Object({
  id: Id,
  channel_id: Id,
  ...NewEvent.properties,
  webhook_id: Type.Optional(Type.Integer({ description: 'The one webhook that a ping is for.' })),
  published_at: Time,
});
