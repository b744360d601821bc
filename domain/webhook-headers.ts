import Type, { type Static } from 'typebox';
import { MUST } from './fields.ts';

/** The most headers, and how long names and values may be together, in characters: servers commonly take 8 KiB or more of headers in all. */
const MAX_HEADERS = 20;
const MAX_TOTAL = 6_144;

/** Says that the names in an object must be those of headers that a webhook may have; see `headerNameErrors`. */
export const HEADER_NAMES = 'x-header-names';

/** A field value without what could end it: https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
const HeaderValue = Type.String({
  pattern: '^[!-~](?:[ -~\\t]*[!-~])?$',
  maxLength: 4_096,
  [MUST]: 'be printable ASCII characters, without spaces at either end',
});

export const WebhookHeaders = Type.Record(Type.String(), HeaderValue, {
  maxProperties: MAX_HEADERS,
  [HEADER_NAMES]: true,
  description: `Up to ${MAX_HEADERS} headers that each delivery is sent with.`,
});
export type WebhookHeaders = Static<typeof WebhookHeaders>;

/** A value as facts hold it: encrypted, and the name of the master secret that the key was made with. */
export interface SealedValue {
  readonly made_with: string;
  /** Base64. */
  readonly sealed: string;
}
export type SealedHeaders = Readonly<Record<string, SealedValue>>;

/** https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

/** What belongs to the connection (https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1), or is ours to say. */
const TAKEN = new RegExp(
  `^(?:${[
    ...['connection', 'keep-alive', 'proxy-.*', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
    ...['host', 'expect', 'content-.*', 'webhook-.*', 'traceparent', 'tracestate'],
  ].join('|')})$`,
  'i',
);

/** What is wrong with the names of headers; where it is about no single one, `name` is absent. */
export function headerNameErrors(headers: Readonly<Record<string, unknown>>): { name?: string; message: string }[] {
  const seen = new Set<string>();
  const isRepeated = (name: string) => seen.size === seen.add(name.toLowerCase()).size;
  const errors = Object.keys(headers).flatMap((name) => {
    if (!TOKEN.test(name)) return [{ name, message: 'must be named as headers are: letters, digits, "-" and "_"' }];
    if (TAKEN.test(name))
      return [{ name, message: 'must not be set: it is for the connection or the delivery to say' }];
    return isRepeated(name) ? [{ name, message: 'must be given once, however it is written' }] : [];
  });
  const total = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + lengthOf(value), 0);
  return total > MAX_TOTAL ? [...errors, { message: `must have at most ${MAX_TOTAL} characters in all` }] : errors;
}

/** What is no text is refused as such, and may not even have one: `{ "toString": null }`. */
function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}
