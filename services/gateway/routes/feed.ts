import Type from 'typebox';
import type { LiveChannel } from '../../../domain/channel.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { durationOf } from '../../../infra/duration.ts';
import type { FeedPart } from '../../../projections/feed.ts';
import type { WebhookView } from '../../../projections/webhooks.ts';
import type { Gateway } from '../context.ts';
import { EVENT_STREAM_TYPE, EventStream, type Message } from '../event-stream.ts';
import type { Awaited } from '../feed-waits.ts';
import { fieldProblem, Problem } from '../problems.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { type Request, route } from '../route.ts';
import { EventAnswer } from './answers.ts';

const OF_CHANNEL = '/v1/channels/:channel/feed';
const OF_WEBHOOK = '/v1/channels/:channel/webhooks/:webhook/feed';

/** The longest that a request waits, in ms: half of what a connection may be silent for. */
const MAX_WAIT_MS = 60_000;
/** After how long a stream on which nothing happens says so, in ms: proxies take a connection for dead after a minute as a rule. */
const SILENCE_MS = 15_000;

const FeedQuery = Closed({
  limit: listQuery(DEFAULT_LIMIT).properties.limit,
  after: Type.Optional(
    Type.String({
      description:
        'The `cursor` of the answer before this one. `now`: only what comes from now on. Absent: all there was.',
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

const STREAM = {
  [EVENT_STREAM_TYPE]: Type.String({
    description: 'Server-sent events without an end: `data` is an event, `id` the cursor behind it.',
    examples: [`id: MS40Mg\ndata: ${JSON.stringify({ id: 567890, event_name: 'request.created' })}\n\n`],
  }),
};

type FeedRequest = Pick<
  Request<typeof OF_CHANNEL, never, typeof FeedQuery>,
  'channel' | 'query' | 'isForStream' | 'lastEventId' | 'whenGone' | 'letInAgain'
>;

export const feedRoutes = [
  route({
    method: 'GET',
    path: OF_CHANNEL,
    access: 'publisher',
    operation: 'readChannelFeed',
    problems: ['too-many-waiting'],
    summary: 'Read the events of a channel in the order of their publication, and wait for the next',
    query: FeedQuery,
    answer: FeedAnswer,
    alsoAs: STREAM,
    handle: (request, gateway) => answerFeed(request, gateway, ofChannel(gateway, request.channel)),
  }),
  route({
    method: 'GET',
    path: OF_WEBHOOK,
    access: 'webhook-owner',
    operation: 'readFeed',
    summary: 'Read the events of a webhook in the order of their publication, and wait for the next',
    problems: ['too-many-waiting'],
    query: FeedQuery,
    answer: FeedAnswer,
    alsoAs: STREAM,
    handle: (request, gateway) => answerFeed(request, gateway, ofWebhook(gateway, request.webhook)),
  }),
];

/** Whose events are read. */
interface Source {
  readonly of: Awaited;
  /** Place in the log before the first that there can be. @throws StoreUnavailable */
  begin(): Promise<number>;
  behind(after: number, limit: number): FeedPart;
}

function ofChannel({ readModels: { feed } }: Gateway, { id }: LiveChannel): Source {
  return {
    of: { id, channel_id: id },
    begin: async () => -1,
    behind: (after, limit) => feed.behindInChannel(id, after, limit),
  };
}

function ofWebhook({ readModels: { feed }, store }: Gateway, webhook: WebhookView): Source {
  return {
    of: webhook,
    begin: async () => (await store.read(stream.webhook(webhook.id)))[0]?.position ?? -1,
    behind: (after, limit) => feed.behind(webhook, after, limit),
  };
}

async function answerFeed(request: FeedRequest, gateway: Gateway, source: Source) {
  const { channel, query, isForStream, lastEventId } = request;
  const waitMs = waitMsIn(query.wait);
  await gateway.freshness.whenRead(stream.events(channel.id));
  const asked = isForStream && lastEventId ? { field: 'Last-Event-ID', text: lastEventId } : { text: query.after };
  const after = await placeOf(gateway, source, asked);
  const reader = readerOf(request, gateway, source);
  if (isForStream) {
    gateway.feedWaits.enter(request, source.of);
    return new EventStream(follow(reader, after));
  }
  const { found, position } = await reader.next(after, waitMs);
  return { events: found.map(({ event }) => event), cursor: cursorAt(position) };
}

/** What there is, and then what comes, until the client goes, may no longer read, or this stops: then it asks again, and is told why. */
async function* follow(reader: Reader, after: number): AsyncGenerator<readonly Message[]> {
  let position = after;
  yield [{ id: cursorAt(position) }];
  while (!reader.isOver()) {
    const part = await reader.nextAllowed(position).catch(undefinedWhereRefused);
    if (!part) return;
    ({ position } = part);
    const messages = part.found.map((at) => ({ id: cursorAt(at.position), data: at.event }));
    yield [...messages, { id: cursorAt(position) }];
  }
}

function undefinedWhereRefused(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error;
}

type Reader = ReturnType<typeof readerOf>;

function readerOf(request: FeedRequest, { feedWaits }: Gateway, { of, behind }: Source) {
  const { query, whenGone, letInAgain } = request;
  const { limit = DEFAULT_LIMIT } = query;
  let isGone = false;
  whenGone(() => {
    isGone = true;
    feedWaits.leave(request);
  });
  const isOver = () => isGone || feedWaits.isStopped();

  async function next(after: number, waitMs: number): Promise<FeedPart> {
    const untilMs = performance.now() + waitMs;
    let part = behind(after, limit);
    while (part.found.length === 0 && part.isEnd && !isOver() && performance.now() < untilMs) {
      await feedWaits.whenNews(request, { of, after: part.position, untilMs });
      // Whoever may no longer read must not be told what came meanwhile.
      await letInAgain();
      part = behind(part.position, limit);
    }
    return part;
  }

  return {
    isOver,
    /** Where there is something; also where so many events of others were looked at that there is more to look at: the position has gone on then. */
    next,
    /** The same for one who goes on reading. @throws what refuses the request by now */
    async nextAllowed(after: number): Promise<FeedPart> {
      const part = await next(after, SILENCE_MS);
      await letInAgain();
      return part;
    },
  };
}

/** @throws Problem query-invalid */
function waitMsIn(wait = '0s'): number {
  const ms = durationOf(wait) ?? Number.NaN;
  if (ms <= MAX_WAIT_MS) return ms;
  throw fieldProblem('query-invalid', [{ field: 'wait', message: 'must be a duration such as 30s, 60s at most' }]);
}

interface Asked {
  /** Where it was asked for. */
  readonly field?: string;
  readonly text: string | undefined;
}

/** @throws Problem query-invalid; StoreUnavailable */
async function placeOf(
  { readModels, store }: Gateway,
  source: Source,
  { field = 'after', text }: Asked,
): Promise<number> {
  if (text === undefined) return source.begin();
  if (text === 'now') return readModels.position();
  const refused = (message: string) => fieldProblem('query-invalid', [{ field, message }]);
  const [, digits] = /^1\.(0|-1|[1-9][0-9]{0,15})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  const position = Number(digits);
  if (!Number.isSafeInteger(position) || cursorAt(position) !== text) throw refused('must be a cursor, or now');
  // A log that was restored from a backup may end before it: what comes there next must not be taken for known.
  if (position > readModels.position() && position > (await store.lastPosition()))
    throw refused('lies behind the end of the log: begin anew without it');
  return position;
}

/** A place in the log, in a form that nobody is tempted to reckon with; the number before it tells it from another form to come. */
function cursorAt(position: number): string {
  return Buffer.from(`1.${position}`).toString('base64url');
}
