import type { Context } from 'koa';
import type { OpenSpan, Tracing } from '../../infra/tracing/tracing.ts';

/** The span of a request, where traces are on; none of what balancers and scrapers ask all the time. */
export function beginRequestSpan(tracing: Tracing | undefined, ctx: Context): OpenSpan | undefined {
  if (!tracing || !ctx.path.startsWith('/v1/')) return undefined;
  const { traceparent } = ctx.req.headers;
  const attributes = { 'http.request.method': ctx.method, 'webhooks.request_id': ctx.state.requestId };
  return tracing.beginFor(ctx.method, typeof traceparent === 'string' ? traceparent : undefined, attributes);
}

export function endRequestSpan(span: OpenSpan, { method, status, state }: Context): void {
  const route: string = state.route ?? 'none';
  span.rename(`${method} ${route}`);
  const attributes = { 'http.route': route, 'http.response.status_code': status };
  span.end(attributes, status >= 500 ? `answered ${status}` : undefined);
}
