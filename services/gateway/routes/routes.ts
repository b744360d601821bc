import type { Group, Route } from '../route.ts';
import { aroundRoutes } from './around.ts';
import { auditRoutes } from './audit.ts';
import { channelRoutes } from './channels.ts';
import { deliveryRoutes } from './deliveries.ts';
import { erasureRoutes } from './erasure.ts';
import { eventRoutes } from './events.ts';
import { feedRoutes } from './feed.ts';
import { recoveryRoutes } from './recoveries.ts';
import { referenceRoutes } from './reference.ts';
import { statsRoutes } from './stats.ts';
import { webhookRoutes } from './webhooks.ts';

/** Everything that the gateway answers, as its reference shows it. */
export const GROUPS: readonly Group[] = [
  { name: 'Channels', description: 'What events are published to.', routes: [...channelRoutes, ...erasureRoutes] },
  { name: 'Webhooks', description: 'Where the events of a channel are delivered to.', routes: webhookRoutes },
  { name: 'Events', description: 'What is published, and what became of it.', routes: eventRoutes },
  {
    name: 'Deliveries',
    description: 'How a webhook has fared, the events it is to have, and what it has missed.',
    routes: [...deliveryRoutes, ...feedRoutes, ...statsRoutes, ...recoveryRoutes],
  },
  {
    name: 'Audit',
    description: 'Who changed what, and proof that the log is still the one it was.',
    routes: auditRoutes,
  },
  {
    name: 'Service',
    description: 'What this is, how it is, and how it is described.',
    routes: [...aroundRoutes, ...referenceRoutes],
  },
];

export const ROUTES: readonly Route[] = GROUPS.flatMap(({ routes }) => routes);
