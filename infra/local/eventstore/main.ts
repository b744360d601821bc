import { readFileSync } from 'node:fs';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { createLog } from '../../log.ts';
import { createExchange } from '../../metrics/exchange.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { tellProcessFigures } from '../../metrics/process-figures.ts';
import { exitCodeOf } from '../cannot-start.ts';
import { type Eventstore, type EventstoreOptions, startEventstore } from './eventstore.ts';
import { clusterIn } from './rpc/cluster.ts';

const DEFAULT_MAX_APPEND_SIZE = 1024 * 1024;

function readOptions(env: NodeJS.ProcessEnv): EventstoreOptions {
  return {
    host: env.HOST || '127.0.0.1',
    port: wholeNumber('PORT', env.PORT, 65_535, 2113),
    dataDir: env.DATA_DIR || './data/eventstore',
    maxAppendSize: wholeNumber(
      'EVENTSTORE_MAX_APPEND_SIZE',
      env.EVENTSTORE_MAX_APPEND_SIZE,
      16 * 1024 * 1024,
      DEFAULT_MAX_APPEND_SIZE,
    ),
    tls: tlsIn(env),
    cluster: env.CLUSTER_FILE ? clusterIn(env.CLUSTER_FILE) : undefined,
  };
}

function tlsIn({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }: NodeJS.ProcessEnv): EventstoreOptions['tls'] {
  if (!cert && !key) return undefined;
  if (!cert || !key) throw new Error('settings TLS_CERT_FILE and TLS_KEY_FILE go together');
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

function wholeNumber(name: string, text: string | undefined, max: number, fallback: number): number {
  if (!text) return fallback;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) throw new Error(`setting ${name} must be a whole number from 0 to ${max}, not "${text}"`);
  return number;
}

/** A parent that spawned us with a channel orders the stop: a terminal's Ctrl-C reaches us too, but is meant for it. */
function stopOnRequest(started: Promise<Eventstore>): void {
  const exit = () => {
    started.then((eventstore) => eventstore.stop()).then(() => process.exit(0), fail);
  };
  const ignore = () => {};
  const hasParent = process.send !== undefined;
  process.on('SIGTERM', exit);
  process.on('SIGINT', hasParent ? ignore : exit);
  if (!hasParent) return;
  process.on('SIGHUP', ignore);
  process.on('disconnect', exit);
  if (!process.connected) exit();
}

/** Its figures go with those of the node that it is part of; alone, nobody asks for them. */
async function tellFigures(nodeDir: string | undefined): Promise<void> {
  if (!nodeDir) return;
  const metrics = createMetrics();
  tellProcessFigures(metrics);
  const log = createLog('eventstore', 'warn');
  await createExchange({ dataDir: nodeDir, name: 'eventstore', metrics, log }).start();
}

function fail(error: Error): void {
  process.stderr.write(`eventstore: ${error.message}\n`);
  process.exit(exitCodeOf(error));
}

// Its errors reach us anyway: it would say them a second time.
setLogVerbosity(logVerbosity.NONE);

try {
  const started = startEventstore({ ...readOptions(process.env), onUnusable: fail });
  stopOnRequest(started);
  const { port } = await started;
  if (!process.send) process.stdout.write(`eventstore listens on port ${port}\n`);
  else if (process.connected) process.send({ ready: true, port });
  await tellFigures(process.env.NODE_DIR);
} catch (error) {
  fail(error as Error);
}
