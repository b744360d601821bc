import Type from 'typebox';

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const Deleted = Type.Object({ response: Type.Literal('ok') });

/** Of what something was: the revision that made it so, and when the store took that. */
export const Past = { revision: Type.Integer({ minimum: 0 }), recorded_at: Type.String({ format: 'date-time' }) };
