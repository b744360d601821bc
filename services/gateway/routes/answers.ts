import Type from 'typebox';
import { Closed } from '../../../domain/fields.ts';

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const Deleted = Type.Object({ response: Type.Literal('ok') });

/** The body of a POST that says all with its path. */
export const NoFields = Closed({});
