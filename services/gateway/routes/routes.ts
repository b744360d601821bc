import type { Route } from '../route.ts';
import { aroundRoutes } from './around.ts';
import { auditRoutes } from './audit.ts';
import { channelRoutes } from './channels.ts';
import { deliveryRoutes } from './deliveries.ts';
import { erasureRoutes } from './erasure.ts';
import { eventRoutes } from './events.ts';
import { feedRoutes } from './feed.ts';
import { recoveryRoutes } from './recoveries.ts';
import { statsRoutes } from './stats.ts';
import { webhookRoutes } from './webhooks.ts';

/** Everything that the gateway answers. */
export const ROUTES: readonly Route[] = [
  ...aroundRoutes,
  ...channelRoutes,
  ...erasureRoutes,
  ...webhookRoutes,
  ...recoveryRoutes,
  ...eventRoutes,
  ...deliveryRoutes,
  ...feedRoutes,
  ...statsRoutes,
  ...auditRoutes,
];
