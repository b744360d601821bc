import { createDestinations, type DestinationRules } from '../../infra/outbound/destinations.ts';

/** The rules of a deployment that sets none of them. */
export const DEFAULT_RULES: DestinationRules = {
  allowPrivateNetworks: false,
  allowedNetworks: [],
  deniedNetworks: [],
  deniedPorts: [],
};

/** Where deliveries may go under these rules, and else under those that nobody has set. */
export const destinations = (rules: Partial<DestinationRules> = {}) =>
  createDestinations({ ...DEFAULT_RULES, ...rules });

/** For tests that are not about it: receivers on this machine are reached. */
export const ANYWHERE = destinations({ allowPrivateNetworks: true });
