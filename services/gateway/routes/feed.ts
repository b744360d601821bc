import Type from 'typebox';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { durationOf } from '../../../infra/duration.ts';
import type { FeedPart } from '../../../projections/feed.ts';
import type { WebhookView } from '../../../projections/webhooks.ts';
import type { Gateway } from '../context.ts';
import { fieldProblem } from '../problems.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { type Request, route } from '../route.ts';
import { EventAnswer } from './answers.ts';

const PATH = '/v1/channels/:channel/webhooks/:webhook/feed';

/** The longest that a request waits, in ms: half of what a connection may be silent for. */
const MAX_WAIT_MS = 60_000;

const FeedQuery = Closed({
  limit: listQuery(DEFAULT_LIMIT).properties.limit,
  after: Type.Optional(
    Type.String({
      description:
        'The `cursor` of the answer before this one. `now`: only what comes from now on. Absent: all there was since the webhook was created.',
    }),
  ),
  wait: Type.Optional(
    Type.String({ description: 'How long to wait where there is nothing, such as `30s`; at most 60 s. Absent: `0s`.' }),
  ),
});

const FeedAnswer = Type.Object(
  {
    events: Type.Array(EventAnswer),
    cursor: Type.String({ description: 'Goes into `after` of the next request.', examples: ['MS40Mg'] }),
  },
  { title: 'FeedPart' },
);

type FeedRequest = Request<typeof PATH, never, typeof FeedQuery>;

export const feedRoutes = [
  route({
    method: 'GET',
    path: PATH,
    access: 'webhook-owner',
    operation: 'readFeed',
    summary: 'Read the events of a webhook in the order of their publication, and wait for the next',
    problems: ['too-many-waiting'],
    query: FeedQuery,
    answer: FeedAnswer,
    async handle(request, gateway) {
      const { channel, webhook, query } = request;
      const waitMs = waitMsIn(query.wait);
      await gateway.freshness.whenRead(stream.events(channel.id));
      const after = await placeOf(gateway, webhook, query.after);
      const { events, position } = await whenThereIsSomething(request, gateway, { after, waitMs });
      return { events, cursor: cursorAt(position) };
    },
  }),
];

/** Also where so many events of others were looked at that there is more to look at: the cursor has gone on then. */
async function whenThereIsSomething(
  request: FeedRequest,
  { readModels: { feed }, feedWaits }: Gateway,
  { after, waitMs }: { readonly after: number; readonly waitMs: number },
): Promise<FeedPart> {
  const { webhook, query, whenGone, letInAgain } = request;
  const { limit = DEFAULT_LIMIT } = query;
  const untilMs = performance.now() + waitMs;
  let part = feed.behind(webhook, after, limit);
  let isGone = false;
  whenGone(() => {
    isGone = true;
    feedWaits.leave(request);
  });
  const isToWait = () => !isGone && !feedWaits.isStopped() && performance.now() < untilMs;
  while (part.events.length === 0 && part.isEnd && isToWait()) {
    await feedWaits.whenNews(request, { webhook, after: part.position, untilMs });
    // Whoever may no longer read must not be told what came meanwhile.
    await letInAgain();
    part = feed.behind(webhook, part.position, limit);
  }
  return part;
}

/** @throws Problem query-invalid */
function waitMsIn(wait = '0s'): number {
  const ms = durationOf(wait) ?? Number.NaN;
  if (ms <= MAX_WAIT_MS) return ms;
  throw fieldProblem('query-invalid', [{ field: 'wait', message: 'must be a duration such as 30s, 60s at most' }]);
}

/** @throws Problem query-invalid; StoreUnavailable */
async function placeOf({ readModels, store }: Gateway, { id }: WebhookView, after?: string): Promise<number> {
  if (after === undefined) return (await store.read(stream.webhook(id)))[0]?.position ?? -1;
  if (after === 'now') return readModels.position();
  const [, text] = /^1\.(0|[1-9][0-9]{0,15})$/.exec(Buffer.from(after, 'base64url').toString()) ?? [];
  const position = Number(text);
  if (!Number.isSafeInteger(position) || cursorAt(position) !== after) throw cursorProblem('must be a cursor, or now');
  // A log that was restored from a backup may end before it: what comes there next must not be taken for known.
  if (position > readModels.position() && position > (await store.lastPosition()))
    throw cursorProblem('lies behind the end of the log: begin anew without it');
  return position;
}

function cursorProblem(message: string) {
  return fieldProblem('query-invalid', [{ field: 'after', message }]);
}

/** A place in the log, in a form that nobody is tempted to reckon with; the number before it tells it from another form to come. */
function cursorAt(position: number): string {
  return Buffer.from(`1.${position}`).toString('base64url');
}
