import type { Static } from 'typebox';
import type { EventAnswer } from '../gateway/routes/answers.ts';
import type { ChannelAnswer } from '../gateway/routes/channels.ts';
import type { DeliveryAnswer } from '../gateway/routes/deliveries.ts';
import type { ListedEventAnswer, LogEntryAnswer } from '../gateway/routes/events.ts';
import type { RecoveryAnswer } from '../gateway/routes/recoveries.ts';
import type { Period, StatsAnswer } from '../gateway/routes/stats.ts';
import type { PastWebhook, WebhookAnswer } from '../gateway/routes/webhooks.ts';

/** What the API answers, by the schemas that it is held against. */
export type Channel = Static<typeof ChannelAnswer>;
export type Webhook = Static<typeof WebhookAnswer>;
export type WebhookThen = Static<typeof PastWebhook>;
export type Event = Static<typeof EventAnswer>;
export type ListedEvent = Static<typeof ListedEventAnswer>;
export type LogEntry = Static<typeof LogEntryAnswer>;
export type Attempt = LogEntry['attempts'][number];
export type Delivery = Static<typeof DeliveryAnswer>;
export type Recovery = Static<typeof RecoveryAnswer>;
export type Stats = Static<typeof StatsAnswer>;
export type PeriodStats = Static<typeof Period>;
