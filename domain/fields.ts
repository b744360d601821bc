import Type, { type TObject, type TSchema } from 'typebox';

/** Says in words what a field's `pattern` asks for: "must ...". */
export const MUST = 'x-must';

/** Marks a URL that requests go to: a deployment may have objections to where it leads. */
export const DESTINATION = 'x-destination';

/** A field that a PUT may clear with `null`. */
export const Clearable = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));

/** An object that refuses fields it does not know. @param title its name where the API is described */
export const Closed = <T extends Record<string, TSchema>>(properties: T, title?: string): TObject<T> =>
  Type.Object(properties, { additionalProperties: false, ...(title !== undefined && { title }) });

/** The longest URL that is taken, in characters. */
export const MAX_URL_LENGTH = 2_048;

/** An absolute http or https URL without user info. */
export const HttpUrl = (
  description: string,
  more: { readonly [DESTINATION]?: true; readonly examples?: readonly string[] } = {},
) => Type.String({ format: 'http-url', maxLength: MAX_URL_LENGTH, description, ...more });

/** Whether a text is an absolute http or https URL with a host and without user info; the check behind the format `http-url`. */
export function isHttpUrl(text: string): boolean {
  // A parser of URLs repairs more than it refuses: "http:///path" becomes "http://path".
  return /^https?:\/\/[^/?#@]+([/?#]|$)/i.test(text) && !/[\s\\]/.test(text) && URL.canParse(text);
}

type Cleared<T> = { [K in keyof T]: Exclude<T[K], null> };

/** `fields` with `changes` over them: `null` clears a field, an absent one stays. */
export function withChanges<T extends object>(
  fields: T,
  changes: { readonly [K in keyof T]?: T[K] | null | undefined },
): T {
  const merged = Object.entries({ ...fields, ...withoutUndefined(changes) }).filter(([, value]) => value !== null);
  return Object.fromEntries(merged) as Cleared<T> as T;
}

/** Those of `changes` that would really change `fields`. */
export function realChanges<C extends object>(fields: object, changes: C): Partial<C> {
  const current = fields as Record<string, unknown>;
  const real = Object.entries(withoutUndefined(changes)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(current[name] ?? null),
  );
  return Object.fromEntries(real) as Partial<C>;
}

/** What JSON makes of an object: undefined is absent. */
function withoutUndefined(changes: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
