/** The most fields, list items and levels that a form may have: what is over is refused, never dropped. */
const MAX_FIELDS = 1_000;
const MAX_DEPTH = 32;

/**
 * How qs reads forms: `data[key]=value` nests, `[]` or numbers make lists. Its defaults drop what is over a limit, close the
 * gaps of lists, pass over keys that every object has (`hasOwnProperty`) and keep what is no UTF-8 as it was encoded.
 */
export const FORM_OPTIONS = {
  allowDots: false,
  allowPrototypes: true,
  allowSparse: true,
  arrayLimit: MAX_FIELDS,
  parameterLimit: MAX_FIELDS,
  throwOnLimitExceeded: true,
  depth: MAX_DEPTH,
  strictDepth: true,
  decoder: decode,
};

/** What qs would drop without a word. */
const NAMELESS = /(?:^|&)=/;

/** @throws Error, which co-body turns into one with status 400 */
function decode(text: string, _: unknown, __: unknown, kind: 'key' | 'value'): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Error(`"${text.slice(0, 40)}" is not percent-encoded UTF-8`);
  }
  if (kind === 'key' && decoded.includes('__proto__')) throw new Error('A field of a form cannot be named __proto__');
  return decoded;
}

/** Whether a form has a field without a name. */
export function hasNamelessField(form: string): boolean {
  return NAMELESS.test(form);
}
