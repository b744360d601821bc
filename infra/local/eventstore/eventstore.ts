import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Cluster } from './rpc/cluster.ts';
import { pagedCalls } from './rpc/paged-call.ts';
import { RunningCalls } from './rpc/running-calls.ts';
import { addServices } from './rpc/services.ts';
import { openStore } from './store/store.ts';

export interface EventstoreOptions {
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Bytes of event data that one append may hold. */
  readonly maxAppendSize: number;
  /** Certificate and key, in PEM; absent: no TLS. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** What gossip tells; absent: a cluster of one. The members do not replicate: what each holds is its own. */
  readonly cluster?: Cluster | undefined;
  /** Told once the store's file turns out to be damaged, or the disk to lose what it was given. */
  readonly onUnusable?: (error: Error) => void;
}

export interface Eventstore {
  readonly port: number;
  /** Ends what runs, writes what was accepted, frees port and directory. */
  stop(): Promise<void>;
}

/** How long a stop waits for clients to take their last answers. */
const STOP_GRACE_MS = 500;

const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.max_send_message_length': -1,
  'grpc.enable_channelz': 0,
  interceptors: [pagedCalls],
};

/** @throws CannotStart when the store is damaged, Error of one line when the directory or the port cannot be had. */
export async function startEventstore(options: EventstoreOptions): Promise<Eventstore> {
  const { dataDir, host, port, maxAppendSize, tls, cluster, onUnusable } = options;
  const store = openStore(dataDir, onUnusable);
  const server = createServer();
  const calls = new RunningCalls();
  addServices(server, { store, calls, maxAppendSize, cluster });
  const address = (ofPort: number) => `${host.includes(':') ? `[${host}]` : host}:${ofPort}`;
  const bind = promisify(server.bindAsync.bind(server));
  const boundPort = await bind(address(port), credentials(tls)).catch((error: Error) => {
    store.close();
    throw error;
  });
  const stop = async () => {
    store.flush();
    await nextTurn();
    calls.endAll();
    server.drain(address(boundPort), STOP_GRACE_MS);
    await Promise.race([
      promisify(server.tryShutdown.bind(server))(),
      delay(2 * STOP_GRACE_MS, undefined, { ref: false }),
    ]);
    store.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    port: boundPort,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

function credentials(tls: EventstoreOptions['tls']): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
}

/**
 * Node takes a client that cancels more than a thousand calls quickly for an attacker and drops its connection; here that is
 * a client with many short subscriptions. grpc-js has no option for it.
 */
function createServer(): Server {
  const server = new Server(SERVER_OPTIONS);
  const { commonServerOptions } = server as unknown as { commonServerOptions?: object };
  Object.assign(commonServerOptions ?? {}, { streamResetBurst: 1_000_000, streamResetRate: 100_000 });
  return server;
}
