import { EventStoreDBClient } from '@eventstore/db-client';
import { SettingError } from '../settings.ts';

/**
 * A client whose connection finds the leader, also where the first of several hosts is away, which the official one by itself does not.
 * @throws SettingError where the connection string is none, or names a file that is not there
 */
export function openClient(url: string): EventStoreDBClient {
  try {
    return EventStoreDBClient.connectionString(withAllHosts(url));
  } catch (error) {
    // What the client says of a string that it cannot read quotes it, with the password.
    const isFile = (error as Error).message.startsWith('Failed to load');
    throw new SettingError(
      'EVENTSTORE_URL',
      isFile ? 'names a certificate or key file that is not there' : 'must be an EventStoreDB connection string',
    );
  }
}

/**
 * `esdb+discover://` asks one name who the members are, and the client ignores all hosts but the first; with `esdb://` it asks each of them. Which is
 * what who names several means.
 */
export function withAllHosts(url: string): string {
  const hosts = /^esdb\+discover:\/\/(?:[^:]+:[^@]+@)?([^/?]+)/.exec(url)?.[1];
  return hosts?.includes(',') ? url.replace('esdb+discover:', 'esdb:') : url;
}
