import { CANNOT_START_CODE, CannotStart } from '../infra/local/cannot-start.ts';
import { whyNot } from '../infra/local/free-port.ts';
import { createStack } from '../infra/local/stack.ts';
import { type StopReason, whenGone, whenStopOrdered } from '../infra/local/stop-order.ts';
import { readSettings, SettingError, type Settings } from '../infra/settings.ts';
import type { Role } from './roles.ts';

/** How long roles may drain, in ms; less where the parent was killed, which takes the event store and the queue with it. */
const DRAIN_MS = { signal: 20_000, orphaned: 4_000 } as const satisfies Record<StopReason, number>;

/** After which part of that it is said what is still draining. */
const LATE_PART = 0.84;

/** Everything on this machine, under this process, until it is told to stop. */
async function supervise(settings: Settings): Promise<void> {
  // A closed terminal takes our output with it, before it tells us to stop.
  process.stdout.on('error', () => {});
  const say = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
  const { STARTED_BY_PID: starter } = process.env;
  const orders = [whenStopOrdered({ byParent: false }), ...(starter ? [whenGone(Number(starter))] : [])];
  const stopOrdered = Promise.race(orders);
  const creating = createStack({ settings, env: process.env, servicesMain: import.meta.filename, say });
  const stack = await Promise.race([creating, stopOrdered]);
  if (typeof stack === 'string') return;
  const starting = stack.start().then(() => {
    announce(stack.url(), stack.dataDir, settings.adminKey !== undefined);
    process.send?.({ ready: true, url: stack.url() });
  });
  const failure = await Promise.race([stopOrdered, starting.then(() => stopOrdered), stack.whenFailed()]).catch(
    (error: Error) => error,
  );
  say('stopping');
  await stack.stop();
  if (failure instanceof Error) throw failure;
  say('stopped');
}

function announce(url: string, dataDir: string, needsKey: boolean): void {
  const key = needsKey ? ' -u $ADMIN_KEY:' : '';
  console.log(`
  Open      ${url}
  Try       curl -X POST ${url}/v1/channels${key} -d "name=my first channel"
  Data in   ${dataDir}
  Stop with Ctrl-C
`);
}

/** These roles in this process, until it is told to stop. */
async function run(names: readonly string[], settings: Settings): Promise<void> {
  const { ROLES, runRoles } = await import('./roles.ts');
  const isRole = (name: string): name is Role => ROLES.some((role) => role === name);
  const roles = names.filter(isRole);
  if (roles.length < names.length) throw new CannotStart(`no such service: one or more of ${ROLES.join(', ')}`);

  const stopOrdered = whenStopOrdered({ byParent: process.send !== undefined });
  const starting = runRoles(roles, settings);
  const running = await Promise.race([starting, stopOrdered]);
  // Told to stop before it served: there is nothing to drain.
  if (typeof running === 'string') return;
  process.send?.({ ready: true, port: running.port });
  const reason = await Promise.race([stopOrdered, running.whenLost]);
  const drainMs = DRAIN_MS[reason instanceof Error ? 'signal' : reason];
  // Before the supervisor ends it.
  setTimeout(() => console.error(`still stopping: ${running.stoppingNow()}`), LATE_PART * drainMs).unref();
  setTimeout(() => {
    console.error(`${names.join('+')} did not stop in ${drainMs / 1_000} s: ending as it is`);
    process.exit(1);
  }, drainMs);
  await running.stop();
  if (reason instanceof Error) throw reason;
}

/** What whoever set it up can mend, in one line, and what a role ends with then; undefined for what is our own fault. */
function mendable(error: unknown, settings: Settings | undefined): { line: string; exitCode: number } | undefined {
  if (error instanceof SettingError || error instanceof CannotStart) {
    return { line: error.message, exitCode: CANNOT_START_CODE };
  }
  const { code, syscall, cause } = (error ?? {}) as NodeJS.ErrnoException;
  if (settings && syscall === 'listen') {
    const line = whyNot(error as NodeJS.ErrnoException, settings.host, settings.port);
    // A supervisor that chose the port starts the gateway again, on another one.
    return { line, exitCode: code === 'EADDRINUSE' ? 1 : CANNOT_START_CODE };
  }
  return cause === undefined ? undefined : mendable(cause, settings);
}

const names = process.argv.slice(2);
let settings: Settings | undefined;
try {
  settings = readSettings(process.env);
  await (names.length > 0 ? run(names, settings) : supervise(settings));
  process.exit(0);
} catch (error) {
  const found = mendable(error, settings);
  console.error(found?.line ?? error);
  process.exit(names.length > 0 ? (found?.exitCode ?? 1) : 1);
}
