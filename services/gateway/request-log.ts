import type { Context } from 'koa';
import type { Logger } from '../../infra/log.ts';
import type { Request } from './route.ts';

/** What a request was about, once it has been let in: what its line in the log is found by. */
type About = Pick<Request, 'by' | 'eventId' | 'id'> & {
  readonly channel?: { readonly id: number };
  readonly webhook?: { readonly id: number };
};

/** One line a request, at `debug`; at `info` where it was our fault, and none of what may come by the thousand: 503. Without its query, headers and body: those may hold what nobody else should read. */
export function createRequestLog(log: Logger) {
  const isEveryLogged = log.isLevelEnabled('debug');
  return ({ method, path, status, state }: Context, tookMs: number, trace_id: string | undefined): void => {
    const isOurFault = status === 500;
    if (!isEveryLogged && !isOurFault) return;
    const line = { request_id: state.requestId, method, path, route: state.route, status, took_ms: Math.round(tookMs) };
    const all = { ...line, ...idsOf(state.about, status), trace_id };
    if (isOurFault) log.info(all, 'answered');
    else log.debug(all, 'answered');
  };
}

function idsOf(about: About | undefined, status: number) {
  if (!about) return {};
  const { by, channel, webhook, eventId: event_id, id } = about;
  const created_id = status === 201 ? id : undefined;
  return { by, channel_id: channel?.id, webhook_id: webhook?.id, event_id, created_id };
}
