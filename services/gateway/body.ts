import { isUtf8 } from 'node:buffer';
import type { Context } from 'koa';
import bodyParser from 'koa-bodyparser';
import { FORM_OPTIONS, hasNamelessField } from './form.ts';
import { membersIn, shapeOf } from './json-shape.ts';
import { type FieldError, fieldProblem, Problem } from './problems.ts';

/** How large a body may be where a route says nothing else. */
const MAX_KIB = 256;
/** Deeper JSON would end the recursion of those who write it again. */
const MAX_DEPTH = 64;

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

export interface Body {
  readonly fields: Record<string, unknown>;
  readonly isForm: boolean;
  /** In characters. */
  readonly length: number;
}

/** JSON as it is: top-level values of any kind, and `__proto__` as the key that it is. */
const optionsFor = (maxKib: number) => ({
  enableTypes: ['json', 'form'],
  jsonLimit: `${maxKib}kb`,
  formLimit: `${maxKib}kb`,
  strict: false,
  onProtoPoisoning: 'ignore',
  queryString: FORM_OPTIONS,
});

export type ReadBody = (ctx: Context) => Promise<Body>;

/** Reads JSON objects and forms of up to so many KiB; no body is an empty object. */
export function createBodyReader(maxKib: number = MAX_KIB): ReadBody {
  const parse = bodyParser(optionsFor(maxKib) as bodyParser.Options);
  return async (ctx) => {
    if (!hasBody(ctx)) return { fields: {}, isForm: false, length: 0 };
    const isForm = mediaType(ctx) === FORM_TYPE;
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer) => chunks.push(chunk);
    ctx.req.on('data', keep);
    try {
      await parse(ctx, async () => {});
    } catch (error) {
      // What is left of it must go by before the connection can take the next request.
      ctx.req.off('data', keep).resume();
      throw asBodyProblem(error, maxKib);
    }
    const text = ctx.request.rawBody as string | undefined;
    // The parser leaves alone what has a type that it cannot take apart, such as one with an empty parameter.
    if (text === undefined) throw mediaTypeUnknown();
    // Bytes that are no UTF-8 have become this character, which a text may hold as well.
    if (text.includes('\ufffd') && !isUtf8(Buffer.concat(chunks))) throw malformed('It is not UTF-8.');
    const body = text === '' ? {} : ctx.request.body;
    if (isForm && hasNamelessField(text)) throw malformed('A field of the form has no name.');
    if (!isObject(body)) throw new Problem('fields-invalid', 'The body must be a JSON object.');
    if (isForm) refuseOddities(body);
    else refuseAmbiguity(text, body);
    return { fields: body, isForm, length: text.length };
  };
}

function hasBody({ req: { headers } }: Context): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** @throws Problem media-type-unknown, encoding-unknown */
function mediaType({ req: { headers } }: Context): string {
  const given = headers['content-type'] ?? '';
  const type = given.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type !== JSON_TYPE && type !== FORM_TYPE) throw mediaTypeUnknown();
  const encoding = headers['content-encoding'];
  const transfer = headers['transfer-encoding'];
  if ((encoding ?? 'identity') !== 'identity' || (transfer ?? 'chunked').toLowerCase() !== 'chunked') {
    const headers = { 'Accept-Encoding': 'identity' };
    throw new Problem('encoding-unknown', 'Send the body without a content encoding.', { headers });
  }
  return type;
}

function mediaTypeUnknown(): Problem {
  const headers = { Accept: `${JSON_TYPE}, ${FORM_TYPE}` };
  return new Problem('media-type-unknown', `Send the body as ${JSON_TYPE} or ${FORM_TYPE}.`, { headers });
}

function asBodyProblem(error: unknown, maxKib: number): unknown {
  const { type, status, message } = error as { type?: string; status?: number; message?: string };
  if (type === 'entity.too.large') {
    return new Problem('body-too-large', `A body may have ${maxKib} KiB.`);
  }
  return status === 400 ? malformed(`${message}.`) : error;
}

function malformed(detail: string): Problem {
  return new Problem('malformed-body', detail);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses JSON that nests too deep, or means one thing to us and another to whoever keeps the first of two equal names. */
function refuseAmbiguity(text: string, body: Record<string, unknown>): void {
  const { depth, members } = shapeOf(text);
  // The body itself is a level.
  if (depth > MAX_DEPTH + 1) refuseOddities(body);
  if (members !== membersIn(body)) throw malformed('An object in it has the same name twice.');
}

/** @throws Problem fields-invalid */
function refuseOddities(body: Record<string, unknown>): void {
  const errors: FieldError[] = [];
  for (const [field, value] of Object.entries(body)) {
    const message = oddity(value, MAX_DEPTH);
    if (message) errors.push({ field, message });
  }
  if (errors.length > 0) throw fieldProblem('fields-invalid', errors);
}

function oddity(value: unknown, levelsLeft: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (levelsLeft === 0) return `must not be nested deeper than ${MAX_DEPTH} levels`;
  for (const key in value) {
    const message = oddity((value as Record<string, unknown>)[key], levelsLeft - 1);
    if (message) return message;
  }
  if (!Array.isArray(value)) return undefined;
  // Only forms make these: `list[0]=a&list[2]=b`.
  return Object.keys(value).length < value.length ? 'must have list items numbered from 0 without gaps' : undefined;
}
