import { EventStoreDBClient } from '@eventstore/db-client';
import { SettingError } from '../settings.ts';

/** The calls of the client that we use. */
export type StoreClient = Pick<
  EventStoreDBClient,
  'appendToStream' | 'setStreamMetadata' | 'readStream' | 'readAll' | 'subscribeToAll' | 'dispose'
>;

/** Of a cluster, its leader alone: what another member answers may lag behind what we have appended. */
const AT_LEADER = { requiresLeader: true };

/**
 * A client that goes on where the cluster does, which the official one by itself does not in two cases: where the first of several hosts is away, and
 * where it has once found no member at all.
 * @throws SettingError where the connection string is none, or names a file that is not there
 */
export function openClient(url: string): StoreClient {
  let client = connect(url);

  /** Takes an append's error, and a new client in place of one whose appends would now fail for good. */
  function renewAfter(error: unknown, failed: EventStoreDBClient): never {
    if (isUndiscovered(error) && failed === client) {
      client = connect(url);
      failed.dispose().catch(() => {});
    }
    throw error;
  }

  return {
    appendToStream(stream, events, options) {
      const asked = client;
      const append = asked.appendToStream(stream, events, { ...AT_LEADER, ...options });
      return append.catch((error) => renewAfter(error, asked));
    },
    setStreamMetadata(stream, metadata, options) {
      const asked = client;
      const set = asked.setStreamMetadata(stream, metadata, { ...AT_LEADER, ...options });
      return set.catch((error) => renewAfter(error, asked));
    },
    readStream: (stream, options) => client.readStream(stream, { ...AT_LEADER, ...options }),
    readAll: (options) => client.readAll({ ...AT_LEADER, ...options }),
    subscribeToAll: (options, readableOptions) => client.subscribeToAll({ ...AT_LEADER, ...options }, readableOptions),
    dispose: () => client.dispose(),
  };
}

function connect(url: string): EventStoreDBClient {
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

/**
 * Before the first append on a connection the client asks for the server's features, and keeps the answer for as long as the connection works: also where that is
 * the error that there was no member to ask.
 */
const isUndiscovered = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('Failed to discover');
