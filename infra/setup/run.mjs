// Runs a module of this project after doing all that it needs first: node infra/setup/run.mjs MODULE [ARGUMENTS].
// Plain JavaScript without dependencies, for Node 20 and later.
import { resolve } from 'node:path';
import { SetupError } from './command.mjs';
import { installDependencies } from './dependencies.mjs';
import { handOver } from './hand-over.mjs';
import { providedNats } from './nats-server.mjs';
import { providedNode } from './node.mjs';

const root = resolve(import.meta.dirname, '../..');
const say = (line) => console.error(`setup: ${line}`);

try {
  const [module, ...args] = process.argv.slice(2);
  if (!module) throw new SetupError('which module? node infra/setup/run.mjs MODULE [ARGUMENTS]');
  await installDependencies(root, say);
  const node = await providedNode(root, say);
  const { NATS_URL, NATS_URL_FILE } = process.env;
  const natsDir = NATS_URL || NATS_URL_FILE ? undefined : await providedNats(root, say);
  handOver(root, { node, natsDir, module: resolve(root, module), args });
} catch (error) {
  const isExpected = error instanceof SetupError || error.syscall !== undefined;
  if (!isExpected) throw error;
  say(error.message);
  process.exit(1);
}
