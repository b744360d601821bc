import Type, { type Static } from 'typebox';
import { isAskedFor } from './event-names.ts';
import type { Facts } from './fact.ts';
import { Closed, HttpUrl, MUST } from './fields.ts';

export const NewEvent = Closed(
  {
    event_name: Type.String({
      pattern: '^[A-Za-z0-9._:-]{1,255}$',
      [MUST]: 'be 1 to 255 letters, digits, ".", "_", "-" or ":"',
      description: 'What happened: letters, digits, `.`, `_`, `-`, `:`.',
      examples: ['request.created'],
    }),
    ext_ref_code: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'A reference of your own.',
        examples: ['optional-reference-code-2396'],
      }),
    ),
    event_url: Type.Optional(
      HttpUrl('Where more can be read about it.', {
        examples: ['http://publisher.com/optional_event_url_for_event_2396'],
      }),
    ),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Any JSON object.',
        examples: [{ any_data: 'you-want-to-publish', example_request_id: '123', created_at: 1354649392 }],
      }),
    ),
  },
  'NewEvent',
);
export type NewEvent = Static<typeof NewEvent>;

/** The most events that a batch may have. */
export const MAX_BATCH = 250;

export const NewEvents = Closed(
  {
    events: Type.Array(NewEvent, { minItems: 1, maxItems: MAX_BATCH, description: 'In the order of their ids.' }),
  },
  'NewEvents',
);

export interface PublishedEvent extends Readonly<NewEvent> {
  readonly id: number;
  readonly channel_id: number;
  /** The one webhook that it is for; absent where it is for all of the channel. */
  readonly webhook_id?: number;
  /** Whether it tells operational webhooks, and no others, what happened to those. */
  readonly kind?: 'operational';
  /** ISO 8601, UTC. */
  readonly published_at: string;
}

/** What decides of a webhook whether an event is for it. */
export interface Addressee {
  readonly id: number;
  readonly fields: { readonly kind?: 'operational' | undefined };
}

/** Whether an event is for a webhook of its channel: for the one that it names, or for all of its kind. */
export function isFor({ webhook_id, kind }: Pick<PublishedEvent, 'webhook_id' | 'kind'>, webhook: Addressee): boolean {
  return webhook_id === undefined ? kind === webhook.fields.kind : webhook_id === webhook.id;
}

export type EventFact = Facts<{ EventPublished: PublishedEvent }>;

/** The fact of a publication. Publishing has no invariant beyond a valid body and a live channel, so nothing can refuse it. */
export function publish(id: number, channelId: number, event: NewEvent, atMs: number): EventFact {
  const { event_name, ext_ref_code, event_url, data } = event;
  return {
    type: 'EventPublished',
    data: {
      id,
      channel_id: channelId,
      event_name,
      ...(ext_ref_code !== undefined && { ext_ref_code }),
      ...(event_url !== undefined && { event_url }),
      ...(data !== undefined && { data }),
      published_at: new Date(atMs).toISOString(),
    },
  };
}

/** The fact of an event that is for one webhook alone, to see whether that gets it. */
export function ping(
  id: number,
  webhook: { readonly id: number; readonly channel_id: number },
  atMs: number,
): EventFact {
  const { type, data } = publish(id, webhook.channel_id, { event_name: 'ping' }, atMs);
  return { type, data: { ...data, webhook_id: webhook.id } };
}

/** Whether an event is sent to a webhook of its channel that lives at its place in the log: to all that ask for it, or to the one that it names. */
export function meets(
  event: Pick<PublishedEvent, 'webhook_id' | 'kind' | 'event_name'>,
  webhook: Addressee & { readonly fields: { readonly event_names?: readonly string[] } },
): boolean {
  if (!isFor(event, webhook)) return false;
  return event.webhook_id !== undefined || isAskedFor(webhook.fields.event_names, event.event_name);
}
