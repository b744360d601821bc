import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { LiveChannel } from '../../domain/channel.ts';
import { admit, idOf, isOfBadKey, type PathParams } from './access.ts';
import { Asset } from './asset.ts';
import { createBodyReader } from './body.ts';
import type { Gateway } from './context.ts';
import { answerStream, asksForStream, EventStream } from './event-stream.ts';
import { acceptOnce } from './idempotency.ts';
import { fieldProblem, Problem, type ProblemCode } from './problems.ts';
import { createQueryReader } from './query.ts';
import { Part, type Request, type Route, type Scope } from './route.ts';
import { createCompiler, fieldsOfType, type Validate } from './validation.ts';

/**
 * Makes routes into middleware. Each request is let in, read, validated, and only then handled, so that whatever
 * is refused has left nothing behind.
 */
export function createEndpoints(gateway: Gateway): (route: Route) => Middleware {
  const compile = createCompiler({ destination: gateway.destinations.objection });

  return (route) => {
    const readQuery = createQueryReader(compile, route.query);
    const validate = route.body && compile(route.body);
    const readBody = createBodyReader(route.maxBodyKib);
    const booleans = route.body ? fieldsOfType(route.body, 'boolean') : [];
    const numbers = route.body ? fieldsOfType(route.body, 'integer') : [];
    const isCreating = route.method === 'POST';

    function takeRate(ctx: Context, { channel }: Scope, count: number) {
      if (gateway.publishRate) ctx.set(gateway.publishRate.take((channel as LiveChannel).id, count));
    }

    async function readFields(ctx: Context, validate: Validate) {
      const { fields, isForm, length } = await readBody(ctx);
      if (isForm) route.fromForm?.(fields);
      if (isForm) for (const name of numbers) readNumber(fields, name);
      for (const name of booleans) readBoolean(fields, name);
      const errors = validate(fields);
      if (errors) throw fieldProblem('fields-invalid', errors);
      return { fields, length };
    }

    return async (ctx) => {
      ctx.state.route = route.path;
      const params: PathParams & { event?: string; recovery?: string } = ctx.params;
      const scope = await letIn(gateway, route, params, ctx.req);
      const isMany = route.count !== undefined;
      if (route.isPublishing) takeRate(ctx, scope, isMany ? 0 : 1);
      // Before its body is read: what is refused costs little then, and what waits holds little.
      const whenRoom = route.isDelivering ? gateway.backpressure.whenRoom() : undefined;
      if (whenRoom) await whenRoom;
      const eventId = idIn(params.event, 'event-not-found');
      const recoveryId = idIn(params.recovery, 'recovery-not-found');
      const query = readQuery(ctx.querystring);
      const body = validate && (await readFields(ctx, validate));
      const count = route.count?.(body?.fields) ?? 1;
      if (route.isPublishing && isMany) takeRate(ctx, scope, count);
      const ids = isCreating ? Array.from({ length: count }, gateway.ids) : [];
      const request = {
        ...scope,
        eventId,
        recoveryId,
        query,
        body: body?.fields,
        bodyLength: body?.length ?? 0,
        isForStream: route.alsoAs !== undefined && asksForStream(ctx),
        lastEventId: ctx.req.headers['last-event-id'],
        ...{ id: ids[0] ?? 0, ids },
        atMs: isCreating ? gateway.nowMs() : 0,
        requestId: ctx.state.requestId,
        traceparent: ctx.state.traceparent,
        repeatable: false,
        repeated: false,
        whenGone: (act: () => void) => ctx.res.once('close', act),
        letInAgain: () => letIn(gateway, route, params, ctx.req),
      } as unknown as Request;
      const key = isCreating ? ctx.req.headers['idempotency-key'] : undefined;
      const accepted = key === undefined ? request : await repeatable(gateway, route, ctx.path, request, String(key));
      ctx.state.about = accepted;
      answer(ctx, route, accepted, await route.handle(accepted, gateway));
    };
  };
}

/** @throws what `admit` throws; Problem too-many-bad-keys in place of a key's refusal */
async function letIn(gateway: Gateway, route: Route, params: PathParams, request: IncomingMessage): Promise<Scope> {
  try {
    return await admit(gateway, route.access, params, request.headers.authorization);
  } catch (error) {
    if (isOfBadKey(error)) gateway.badKeys.count(gateway.clientAddress(request));
    throw error;
  }
}

/** The id that a path has, if it has one there. @throws Problem `notFound` */
function idIn(param: string | undefined, notFound: ProblemCode): number | undefined {
  const id = param === undefined ? undefined : idOf(param);
  if (id === undefined && param !== undefined) throw new Problem(notFound, 'It has no such id.');
  return id;
}

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** Takes the texts that a form can send for true and false. */
function readBoolean(fields: Record<string, unknown>, name: string): void {
  const text = fields[name];
  if (typeof text === 'string' && Object.hasOwn(BOOLEANS, text)) fields[name] = BOOLEANS[text];
}

/** Takes the digits that a form can send for a number. */
function readNumber(fields: Record<string, unknown>, name: string): void {
  const text = fields[name];
  if (typeof text === 'string' && /^[0-9]{1,16}$/.test(text)) fields[name] = Number(text);
}

/** The request with the ids and time of the first of its kind. */
async function repeatable(gateway: Gateway, route: Route, path: string, request: Request, key: string) {
  const { id, ids, atMs, requestId, by, channel, body } = request;
  const keyed = {
    key,
    owner: channel === undefined ? 'channels' : String((channel as { id: number }).id),
    route: `${route.method} ${route.path}`,
    path,
    body: route.hashedAs ? route.hashedAs(body, gateway) : body,
  };
  const accepted = await acceptOnce(gateway, keyed, { ids, atMs }, { about: id, requestId, by });
  return { ...request, ...accepted, id: accepted.ids[0] ?? id, repeatable: true };
}

function answer(ctx: Context, route: Route, request: Request, result: unknown): void {
  if (route.mediaType) ctx.set('Content-Type', route.mediaType);
  if (route.location) {
    ctx.status = 201;
    ctx.set('Location', route.location(result, request));
  }
  if (result instanceof Asset) {
    result.send(ctx);
    return;
  }
  if (result instanceof EventStream) {
    answerStream(ctx, result);
    return;
  }
  if (!(result instanceof Part)) {
    ctx.body = result;
    return;
  }
  if (result.next !== undefined) {
    const query = new URLSearchParams(ctx.querystring);
    query.set('after', String(result.next));
    ctx.set('Link', `<${ctx.path}?${query}>; rel="next"`);
  }
  ctx.body = result.items;
}
