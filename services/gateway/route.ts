import type { Static, TObject, TSchema } from 'typebox';
import type { KeyOfChannel, LiveChannel } from '../../domain/channel.ts';
import type { Actor } from '../../domain/facts.ts';
import type { WebhookView } from '../../projections/webhooks.ts';
import type { Access } from './access.ts';
import type { Asset } from './asset.ts';
import type { Gateway } from './context.ts';
import type { EventStream } from './event-stream.ts';
import type { ProblemCode } from './problems.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Every method that something here takes, beside OPTIONS. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const satisfies readonly (Method | 'HEAD')[];

/** Who asked, and for what: found while it was decided whether they may. */
export interface Scope {
  readonly by: Actor;
  readonly channel?: LiveChannel | undefined;
  /** In place of `channel` where that is no more, for those who may ask about that. */
  readonly ended?: KeyOfChannel | undefined;
  readonly webhook?: WebhookView | undefined;
  /** Id of the one webhook whose entries the caller may see; absent where all of them. */
  readonly onlyWebhook?: number | undefined;
}

type In<P extends string, Name extends string, T> = P extends `${string}/:${Name}${'' | `/${string}`}` ? T : undefined;
type Of<S> = [S] extends [never] ? undefined : S extends TSchema ? Static<S> : undefined;

/** One request to a route, once it has been let in and read. */
export interface Request<P extends string = string, B = never, Q = never> extends Scope {
  readonly channel: In<P, 'channel', LiveChannel>;
  readonly webhook: In<P, 'webhook', WebhookView>;
  readonly eventId: In<P, 'event', number>;
  readonly recoveryId: In<P, 'recovery', number>;
  readonly body: Of<B>;
  /** How long the body was as it was sent, in characters. */
  readonly bodyLength: number;
  readonly query: Of<Q>;
  /** Whether the client would rather have an EventStream, and the id of the last message that it got of one. */
  readonly isForStream: boolean;
  readonly lastEventId: string | undefined;
  /** Id of what the request creates, and those of all where that is more than one. */
  readonly id: number;
  readonly ids: readonly number[];
  /** When the request was made, in ms since the epoch. A repetition has the first one's ids and `atMs`. */
  readonly atMs: number;
  readonly requestId: string;
  /** Of the request's span, where there are traces. */
  readonly traceparent: string | undefined;
  /** Whether the request has an Idempotency-Key, and whether it had been accepted before. */
  readonly repeatable: boolean;
  readonly repeated: boolean;
  /** Calls back once nobody waits for the answer any more, or it has been sent. */
  readonly whenGone: (act: () => void) => void;
  /** Asks again whether the request may be let in, after a while. @throws what refuses it */
  readonly letInAgain: () => Promise<Scope>;
}

/** A part of a list, and the id behind which the next one begins; undefined where there is nothing left. */
export class Part<T> {
  readonly items: readonly T[];
  readonly next: number | undefined;

  constructor(items: readonly T[], next: number | undefined) {
    this.items = items;
    this.next = next;
  }
}

/** A part that is as long as it may be, or the last one. */
export class Page<T> extends Part<T> {
  /** @param found up to one more than the limit, which shows whether there is a next page */
  constructor(found: readonly T[], limit: number, idOf: (item: T) => number) {
    const last = found.length > limit ? found[limit - 1] : undefined;
    super(found.slice(0, limit), last === undefined ? undefined : idOf(last));
  }

  /** The same page with other items in place of its own. */
  showing<S>(items: readonly S[]): Page<S> {
    return Object.assign(new Page(items, items.length, () => 0), { next: this.next });
  }
}

/** What an answer of type T may be made from: nothing in it is changed, and fields that are undefined are left out of the JSON. */
type Sparse<T> = T extends readonly (infer I)[]
  ? readonly Sparse<I>[]
  : T extends object
    ? { readonly [K in keyof T]: object extends Pick<T, K> ? Sparse<T[K]> | undefined : Sparse<T[K]> }
    : T;
type Shown<T> = T extends readonly (infer I)[] ? Sparse<T> | Part<Sparse<I>> : Sparse<T>;
type Answer<T> = Shown<T> | Asset | EventStream;

/** A route: all that there is to know about it. */
export interface Row<P extends string, A extends TSchema, B, Q> {
  readonly method: Method;
  readonly path: P;
  /** Who may call it. */
  readonly access: Access;
  /** What it is called in clients that are made from the description of the API. */
  readonly operation: string;
  readonly summary: string;
  /** What goes wrong here and is not said by the rest of the row already. */
  readonly problems?: readonly ProblemCode[];
  readonly query?: Q;
  readonly body?: B;
  /** How large a body may be, in KiB; absent: as large as everywhere. */
  readonly maxBodyKib?: number;
  /** How many things it creates; absent: one. */
  readonly count?: (body: Of<B>) => number;
  /** Whether it makes work for projector, relay and delivery: it waits, or is refused, while they have too much of it. */
  readonly isDelivering?: boolean;
  /** Whether, beside that, it counts as so many publications of its channel. */
  readonly isPublishing?: boolean;
  /** What a form cannot say of itself: changes a form's body before it is validated. */
  readonly fromForm?: (body: Record<string, unknown>) => void;
  /** What an Idempotency-Key remembers the body by, where that holds secrets: its hash goes to the log. */
  readonly hashedAs?: (body: Of<B>, gateway: Gateway) => unknown;
  readonly answer: A;
  /** Of an answer that is not JSON of the moment. */
  readonly mediaType?: string;
  /** Whether the answer is an Asset. */
  readonly isAsset?: true;
  /** What it answers as well, where the client would rather have that, by its media type. */
  readonly alsoAs?: Readonly<Record<string, TSchema>>;
  /** Path of what was created: the answer is then 201. */
  readonly location?: (answer: Static<A>, scope: Scope) => string;
  readonly handle: (request: Request<P, B, Q>, gateway: Gateway) => Promise<Answer<Static<A>>> | Answer<Static<A>>;
}

/** A row whose own types no longer matter. */
export type Route = Omit<Row<string, TSchema, TObject, TObject>, 'handle' | 'hashedAs' | 'count' | 'location'> & {
  // biome-ignore lint/suspicious/noExplicitAny: what the row's own handler has answered
  readonly location?: (answer: any, scope: Scope) => string;
  // biome-ignore lint/suspicious/noExplicitAny: a body of the row's own schema
  readonly count?: (body: any) => number;
  // biome-ignore lint/suspicious/noExplicitAny: a request of the row's own shape, which `route` has checked
  readonly handle: (request: any, gateway: Gateway) => unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a body of the row's own schema
  readonly hashedAs?: (body: any, gateway: Gateway) => unknown;
};

/** Routes that belong together where the API is described. */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly routes: readonly Route[];
}

/** Checks a row's handler against its path, schemas and answer. */
export function route<const P extends string, A extends TSchema, B extends TObject = never, Q extends TObject = never>(
  row: Row<P, A, B, Q>,
): Route {
  return row as unknown as Route;
}
