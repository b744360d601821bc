import type { ChannelFact } from './channel.ts';
import type { DeliveryFact } from './delivery.ts';
import type { ErasureFact } from './erasure.ts';
import type { EventFact } from './event.ts';
import type { GuidFact } from './guid.ts';
import type { IdempotencyFact } from './idempotency.ts';
import type { NodeNumberFact } from './node-number.ts';
import type { RecoveryFact } from './recovery.ts';
import type { RedeliveryFact } from './redelivery.ts';
import type { RemainsFact } from './remains.ts';
import type { RetentionFact } from './retention.ts';
import type { TreeHeadFact } from './tree-head.ts';
import type { WebhookFact } from './webhook.ts';

/** Every fact that the log can hold. */
export type Fact =
  | ChannelFact
  | WebhookFact
  | GuidFact
  | IdempotencyFact
  | EventFact
  | RedeliveryFact
  | RecoveryFact
  | DeliveryFact
  | NodeNumberFact
  | TreeHeadFact
  | ErasureFact
  | RemainsFact
  | RetentionFact;

/** Who did it: the kind of key that asked, never the key; `system` for what no request asked for. */
export type Actor = (typeof ACTORS)[number];
export const ACTORS = ['anyone', 'publisher', 'subscriber', 'admin', 'system'] as const;

/** What stands beside a fact's data. `$correlationId` and `$causationId` are EventStoreDB's own names. */
export interface FactMetadata {
  readonly $correlationId: string;
  readonly $causationId: string;
  readonly version: number;
  readonly by: Actor;
  /** Of a publication: the span of the request (W3C Trace Context), where there are traces. */
  readonly traceparent?: string;
}

/** A fact that is to be appended. The same `id` appended again with the same expectation is recognised by the store. */
export type NewFact<F extends Fact = Fact> = F & { readonly id: string; readonly metadata: FactMetadata };

/** A fact as the log holds it. */
export type RecordedFact<F extends Fact = Fact> = F & {
  readonly id: string;
  readonly stream: string;
  /** Place in its stream, from 0. */
  readonly revision: number;
  /** Place in the whole log. Exact: local and real positions stay below 2^53. */
  readonly position: number;
  /** When the store took it, in ms since the epoch. */
  readonly recordedAtMs: number;
  readonly metadata: FactMetadata;
};

/** The newest version of every fact. A second version brings its upcaster here. */
export const FACT_VERSION = 1;

export const stream = {
  channel: (id: number) => `channel-${id}`,
  webhook: (id: number) => `webhook-${id}`,
  guid: (guid: string) => `guid-${guid}`,
  idempotency: (hash: string) => `idempotency-${hash}`,
  events: (channelId: number) => `events-${channelId}`,
  deliveries: (channelId: number) => `deliveries-${channelId}`,
  recovery: (id: number) => `recovery-${id}`,
  node: (number: number) => `node-${number}`,
  treeHeads: 'tree-heads',
  erasure: (channelId: number) => `erasure-${channelId}`,
  /** Of all streams. */
  remains: 'erased-facts',
  retention: 'expired-events',
} as const;

/** Prefixes of the streams that decide what is delivered to whom. */
export const RELAYED_STREAMS = ['channel-', 'webhook-', 'events-', 'recovery-', 'erasure-'] as const;

const FACT_STREAM = /^(channel|webhook|guid|idempotency|events|deliveries|recovery|node|tree|erasure|erased|expired)-/;

/** Whether a stream is one of ours; a store holds others too. */
export function isFactStream(name: string): boolean {
  return FACT_STREAM.test(name);
}
