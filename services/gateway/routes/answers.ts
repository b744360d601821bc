import Type from 'typebox';
import { Closed } from '../../../domain/fields.ts';

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const Deleted = Type.Object({ response: Type.Literal('ok') });

/** Of what something was: the revision that made it so, and when the store took that. */
export const Past = { revision: Type.Integer({ minimum: 0 }), recorded_at: Type.String({ format: 'date-time' }) };
/** The body of a POST that says all with its path. */
export const NoFields = Closed({});
