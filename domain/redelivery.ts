import Type, { type Static } from 'typebox';
import type { Facts } from './fact.ts';
import type { Actor } from './facts.ts';
import { Closed } from './fields.ts';

export const NewRedelivery = Closed(
  {
    webhook_id: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'The only webhook that gets it; absent: all of the notification log that are still there.',
      }),
    ),
    reason: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Why, for whoever reads the log.',
        examples: ['the subscriber had lost it'],
      }),
    ),
  },
  'NewRedelivery',
);
export type NewRedelivery = Static<typeof NewRedelivery>;

/** Who asked that an event be delivered again, when and why. */
export interface Redelivery {
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly requested_at: string;
  readonly by: Actor;
  readonly reason?: string;
  /** Whether it is a part of a recovery, whose `id` it has then. */
  readonly recovery?: true;
}

/** Without `webhook_id` it is for every webhook that the event was on its way to and that is live at this place in the log. */
export type RedeliveryFact = Facts<{
  RedeliveryRequested: Redelivery & { event_id: number; channel_id: number; webhook_id?: number };
}>;

/** The fact that an event is to be delivered again. */
export function requestRedelivery(
  event: { readonly id: number; readonly channel_id: number },
  { webhook_id, reason }: NewRedelivery,
  request: { readonly id: number; readonly atMs: number; readonly by: Actor },
): RedeliveryFact {
  return {
    type: 'RedeliveryRequested',
    data: {
      id: request.id,
      event_id: event.id,
      channel_id: event.channel_id,
      ...(webhook_id !== undefined && { webhook_id }),
      requested_at: new Date(request.atMs).toISOString(),
      by: request.by,
      ...(reason !== undefined && { reason }),
    },
  };
}
