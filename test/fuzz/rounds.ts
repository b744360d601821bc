import { Client, credentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import { connect } from 'nats';
import { startStack } from '../support/stack.ts';
import { gatewayRequests } from './gateway-requests.ts';
import { PATIENCE_MS } from './patience.ts';
import { eventstoreBytes, gatewayBytes, natsBytes } from './sockets.ts';
import { storeCalls, storeRoundTrip } from './store-calls.ts';
import { watch } from './watch.ts';

/** How long a smaller example of a failure is looked for, in ms. */
const SHRINK_MS = 60_000;

export type Fuzz = Awaited<ReturnType<typeof startFuzz>>;

/** Everything on this machine, and what is sent at its ports. Nothing that is published leaves it: deliveries are refused every address that there is. */
export async function startFuzz() {
  const stack = await startStack({
    env: { ALLOW_PRIVATE_NETWORKS: 'false', LOG_LEVEL: 'error', PUBLISH_LAG_LIMIT: '0s' },
  });
  const { eventstoreUrl = '', natsUrl = '' } = await stack.run();
  const { host: eventstore } = new URL(eventstoreUrl);
  const grpc = new Client(eventstore, credentials.createInsecure());
  const nats = await connect({ servers: natsUrl, maxReconnectAttempts: 0 });
  const calls = storeCalls(eventstore);
  const roundTrip = storeRoundTrip(eventstoreUrl);
  const parts = {
    'requests to the gateway': part(0.35, await gatewayRequests(stack.url)),
    'bytes to the gateway': part(0.2, gatewayBytes(stack.url)),
    'calls of the event store': part(0.2, calls),
    'events there and back': part(0.05, roundTrip),
    'bytes to the event store': part(
      0.1,
      eventstoreBytes(`tcp://${eventstore}`, () => whenServing(grpc)),
    ),
    'bytes to nats-server': part(
      0.1,
      natsBytes(natsUrl, () => nats.flush()),
    ),
  };
  const watching = await watch(stack);

  return {
    /**
     * Sends about `runs` things, the same for the same seed.
     * @throws Error with the smallest thing found that does what it must not
     */
    async round(seed: number, runs: number): Promise<void> {
      for (const [name, { play }] of Object.entries(parts)) {
        try {
          await play(seed, runs);
          watching.check();
        } catch (error) {
          throw new Error(`${name}: ${told(error as Error)}\n${stack.output()}`, { cause: error });
        }
      }
    },
    stack,
    /** From now on no process may grow much. */
    isWarm: () => watching.isWarm(),
    memory: () => watching.told(),
    async stop(): Promise<void> {
      calls.close();
      roundTrip.close();
      grpc.close();
      await nats.close();
      await stack.stop();
    },
  };
}

/** fast-check tells what was sent, its cause what came of it. */
function told({ message, cause }: Error): string {
  return cause === undefined ? message : `${message}\n${(cause as Error).stack}`;
}

/** @param share of the runs of a round */
function part<T>(share: number, property: fc.IAsyncProperty<T>) {
  return {
    play: (seed: number, runs: number): Promise<void> => {
      const interruptAfterTimeLimit = SHRINK_MS + runs * PATIENCE_MS;
      return fc.assert(property, { seed, numRuns: Math.ceil(runs * share), interruptAfterTimeLimit });
    },
  };
}

/** A call that any server answers. */
function whenServing(client: Client): Promise<void> {
  const path = '/event_store.client.server_features.ServerFeatures/GetSupportedMethods';
  const asIs = (message: Buffer) => message;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), { deadline: Date.now() + PATIENCE_MS }, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
