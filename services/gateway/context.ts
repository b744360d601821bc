import type { EventStore } from '../../infra/event-store/client.ts';
import type { createCoalescer } from '../../infra/event-store/coalescer.ts';
import type { Logger } from '../../infra/log.ts';
import type { Destinations } from '../../infra/outbound/destinations.ts';
import type { Tracing } from '../../infra/tracing/tracing.ts';
import type { Tree } from '../../projections/merkle/tree-file.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { Backpressure } from './backpressure.ts';
import type { BadKeys } from './bad-keys.ts';
import type { createClientAddress } from './client-address.ts';
import type { FeedWaits } from './feed-waits.ts';
import type { Freshness } from './freshness.ts';
import type { Keyring } from './keyring.ts';
import type { LiveChannels } from './live-channels.ts';
import type { PublishRate } from './publish-rate.ts';
import type { Reference } from './reference/reference.ts';
import type { RequestFigures } from './request-figures.ts';

/** Resolves where what it is named after can be used, throws where it cannot. */
export type Check = () => Promise<void>;

/** What routes work with. */
export interface Gateway {
  readonly store: EventStore;
  readonly destinations: Pick<Destinations, 'objection'>;
  /** Appends facts that have no invariant. */
  readonly coalescer: ReturnType<typeof createCoalescer>;
  readonly readModels: ReadModels;
  /** The tree over the log, as far as this node has it; undefined while it has none. */
  readonly tree: () => Tree | undefined;
  readonly channels: LiveChannels;
  readonly freshness: Freshness;
  readonly feedWaits: FeedWaits;
  readonly backpressure: Pick<Backpressure, 'wrote' | 'whenRoom'>;
  readonly keyring: Keyring;
  readonly badKeys: BadKeys;
  readonly clientAddress: ReturnType<typeof createClientAddress>;
  /** Undefined where channels may publish as much as they want. */
  readonly publishRate: PublishRate | undefined;
  /** RETENTION; undefined where events are kept for ever. */
  readonly retentionMs: number | undefined;
  readonly adminKey: string | undefined;
  readonly figures: RequestFigures;
  /** Undefined where there are no traces. */
  readonly tracing: Tracing | undefined;
  /** The figures of all processes of this node, in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly checks: Readonly<Record<string, Check>>;
  readonly ids: () => number;
  readonly nowMs: () => number;
  /** The API, described. */
  readonly reference: Reference;
  readonly log: Logger;
}
