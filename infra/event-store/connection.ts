import { EventStoreDBClient } from '@eventstore/db-client';
import type { Channel } from '@grpc/grpc-js';
import { SettingError } from '../settings.ts';

/**
 * How much the store may send ahead of what was read, in bytes, by connection and by call. With HTTP/2's own 65,535 it stands still while a batch of facts is committed, and
 * batches remain small. RFC 9113, section 6.9.2
 */
const FLOW_CONTROL_WINDOW = 4 * 1_024 * 1_024;

/**
 * A client whose connection finds the leader, also where the first of several hosts is away, which the official one by itself does not.
 * @throws SettingError where the connection string is none, or names a file that is not there
 */
export function openClient(url: string): EventStoreDBClient {
  try {
    return withWideWindow(EventStoreDBClient.connectionString(withAllHosts(url)));
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

/** What the client makes its connections with. */
interface Connecting {
  createChannel(): Promise<Channel>;
}

/** The client has no option for it: it is set in those of each new channel, which connects later. */
function withWideWindow(client: EventStoreDBClient): EventStoreDBClient {
  const connecting = client as unknown as Connecting;
  const create = connecting.createChannel;
  connecting.createChannel = async () => {
    const channel = await create();
    const { options } = (channel as unknown as { internalChannel: { options: Record<string, unknown> } })
      .internalChannel;
    options['grpc-node.flow_control_window'] = FLOW_CONTROL_WINDOW;
    return channel;
  };
  return client;
}
