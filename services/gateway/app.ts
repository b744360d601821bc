import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import Koa, { type Context, type Middleware, type Next } from 'koa';
import type { Logger } from '../../infra/log.ts';
import { MasterSecretMissing } from '../../infra/master-secrets.ts';
import type { Settings } from '../../infra/settings.ts';
import { createBrowserCheck, createCors } from './browsers.ts';
import { createConsole } from './console/console.ts';
import type { Gateway } from './context.ts';
import { createEndpoints } from './endpoint.ts';
import { asProblem, Problem } from './problems.ts';
import { checkHead, createPipelineCheck, givenRequestId } from './request-head.ts';
import { createRequestLog } from './request-log.ts';
import { beginRequestSpan, endRequestSpan } from './request-span.ts';
import { ROUTES } from './routes/routes.ts';
import { setStandingHeaders } from './standing-headers.ts';

export type AppSettings = Pick<Settings, 'host' | 'corsOrigins' | 'allowedHosts'>;

/** The Koa application: every route, and an answer to whatever is none. */
export function createApp(gateway: Gateway, settings: AppSettings, isStopping: () => boolean): Koa {
  const endpoint = createEndpoints(gateway);
  // Nearly all requests are publications: a router tries the paths of all its routes, so theirs are in one of their own, which is asked first.
  const publishing = createRouter();
  const router = createRouter();
  const { page, file } = createConsole();
  // Before what programs are answered at the same path.
  router.register('/', ['GET'], [page]);
  router.register('/console/:version/:file', ['GET'], [file]);
  for (const route of ROUTES) {
    (route.isPublishing ? publishing : router).register(route.path, [route.method], [endpoint(route)]);
  }
  const app = new Koa();
  app.on('error', (err) => gateway.log.error({ err }, 'an answer could not be written'));
  app.use(answerAlways(gateway, isStopping)).use(refuseUnsafe(settings));
  const cors = createCors(settings);
  if (cors) app.use(cors);
  app.use(publishing.routes() as Middleware).use(router.routes() as Middleware);
  app.use(answerNoRoute);
  return app;
}

/** A path names one thing: an empty id at its end must not turn it into that of the whole list. */
const createRouter = (): Router => new Router({ sensitive: true, strict: true });

/** Whatever happens further in, there is an answer: its errors become problems here. */
function answerAlways({ log, figures, tracing }: Gateway, isStopping: () => boolean): Middleware {
  const logAnswered = createRequestLog(log);
  return async (ctx: Context, next: Next) => {
    const beganMs = performance.now();
    figures.begun();
    const requestId = givenRequestId(ctx.req) ?? randomUUID();
    ctx.state.requestId = requestId;
    ctx.res.setHeader('X-Request-Id', requestId);
    setStandingHeaders(ctx.res);
    const span = beginRequestSpan(tracing, ctx);
    ctx.state.traceparent = span?.traceparent;
    try {
      if (isStopping()) throw new Problem('stopping', 'Another server, or this one in a moment, will answer.');
      await next();
    } catch (error) {
      if (error instanceof MasterSecretMissing)
        log.error({ err: error, request_id: requestId }, 'a key cannot be made');
      answerProblem(ctx, asProblem(error) ?? internal(log, requestId, error));
    }
    if (isStopping()) ctx.set('Connection', 'close');
    const tookMs = performance.now() - beganMs;
    figures.answered(ctx.method, ctx.state.route, ctx.status, tookMs);
    if (span) endRequestSpan(span, ctx);
    logAnswered(ctx, tookMs, span?.traceId);
  };
}

/** Refuses what is dangerous to let in, whatever it asks for. */
function refuseUnsafe(settings: AppSettings): Middleware {
  const checkPipeline = createPipelineCheck();
  const checkBrowser = createBrowserCheck(settings);
  return ({ req, res }: Context, next: Next) => {
    checkPipeline(req, res);
    checkHead(req);
    checkBrowser(req);
    return next();
  };
}

/** An error that is nobody's but ours: whole in the log, bare outside. */
function internal(log: Logger, request_id: string, err: unknown): Problem {
  log.error({ err, request_id }, 'a request failed');
  return new Problem('internal', `The log has more, under request ${request_id}.`);
}

function answerProblem(ctx: Context, problem: Problem): void {
  ctx.status = problem.status;
  ctx.set(problem.headers);
  ctx.set('Content-Type', 'application/problem+json');
  ctx.body = problem.toJSON();
}

/** Answers what no route has taken: another method of a path that there is, or a path that there is not. */
function answerNoRoute(ctx: Context): void {
  const layers = (ctx.matched ?? []) as readonly { methods: readonly string[] }[];
  if (layers.length === 0) throw new Problem('not-found', `There is nothing at ${ctx.path}.`);
  const Allow = [...new Set(layers.flatMap(({ methods }) => methods)), 'OPTIONS'].join(', ');
  if (ctx.method !== 'OPTIONS') {
    throw new Problem('method-not-allowed', `This path takes ${Allow}.`, { headers: { Allow } });
  }
  ctx.set('Allow', Allow);
  ctx.status = 204;
}
