import { join } from 'node:path';
import { createChild } from '../../infra/local/child.ts';
import { masterSecret } from '../../infra/local/master-secret.ts';
import { nodeProgram } from '../../infra/local/node-program.ts';
import type { Stack } from './stack.ts';

const MAIN = join(import.meta.dirname, '../../services/main.ts');

/** Starts one more delivery process beside that of the stack: both empty the same queue. */
export async function startSecondDelivery(stack: Stack): Promise<{ stop(): Promise<void> }> {
  const { eventstoreUrl, natsUrl } = await stack.run();
  const env = {
    ...{ ...stack.env, EVENTSTORE_URL: eventstoreUrl, NATS_URL: natsUrl },
    ...{ MASTER_SECRET: masterSecret(stack.dataDir), ALLOW_PRIVATE_NETWORKS: 'true' },
  };
  const program = nodeProgram('second delivery', MAIN, ['delivery'], async () => env);
  const child = createChild(program, { say: () => {}, changed: () => {} });
  await child.start();
  return { stop: () => child.stop(20_000) };
}
