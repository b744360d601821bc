import type { Random } from '../support/random.ts';
import type { ChaosStack, Derived, Disk } from './chaos-stack.ts';
import { DISKS } from './chaos-stack.ts';
import { type History, PARTS, type Part, type Trouble } from './history.ts';
import type { ProxyMode } from './proxy.ts';

/** One fault: decided from the seed alone before it begins. */
export interface Fault {
  readonly what: string;
  /** From its beginning to its end; absent where nothing has to pass. */
  readonly holdMs?: number;
  /** @returns what is to be said, where it could not be done */
  begin(): string | undefined;
  /** Absent where nothing is to be ended. */
  end?(): void | Promise<void>;
}

type Make = (random: Random, stack: ChaosStack, history: History) => Fault;

/** How long a part that was killed may take to be itself again, in ms. Services are dead at once; what a dead supervisor leaves behind takes its time. */
const BACK_MS = 6_000;
const AT_ONCE_MS = 500;
/** How long something that was told to stop is waited for, in ms: longer than it may take. */
const GONE_MS = 45_000;
const SERVICES: readonly Part[] = ['gateway', 'delivery', 'projector+relay'];
const MINUTE_MS = 60_000;

export const FAULTS: Readonly<Record<string, { readonly weight: number; readonly make: Make }>> = {
  kill: { weight: 6, make: kill },
  'kill all': { weight: 1, make: killAll },
  'kill store mid-batch': { weight: 3, make: killStoreMidBatch },
  'kill all, lose files': { weight: 2, make: loseFiles },
  'tell to stop': { weight: 3, make: tellToStop },
  'tell all to stop': { weight: 1, make: tellAllToStop },
  stop: { weight: 4, make: stop },
  'stop all': { weight: 1, make: stopAll },
  'restart broker': { weight: 2, make: restartBroker },
  'wipe broker': { weight: 2, make: wipeBroker },
  'freeze network': { weight: 4, make: freeze },
  'cut network': { weight: 2, make: cut },
  'full disk': { weight: 3, make: fullDisk },
  'move clock': { weight: 2, make: moveClock },
};

const holding = (random: Random) => random.between(500, 6_500);

type Noted = Pick<Trouble, 'part' | 'what'> & { ended?: Trouble['ended']; lastsMs?: number };

/** Notes a trouble from now on. */
function note(history: History, { part, what, ended, lastsMs = Number.POSITIVE_INFINITY }: Noted): Trouble {
  const fromMs = Date.now();
  const trouble = { part, what, ended, fromMs, toMs: fromMs + lastsMs };
  history.troubles.push(trouble);
  return trouble;
}

function killNow(what: string, parts: readonly Part[], stack: ChaosStack, history: History): string | undefined {
  const killed = parts.filter((part) => stack.signal(part, 'SIGKILL'));
  for (const part of killed) {
    note(history, { part, what, ended: 'killed', lastsMs: SERVICES.includes(part) ? AT_ONCE_MS : BACK_MS });
  }
  // Children that were not killed with it notice, and end within seconds, or are ended by the next supervisor.
  const orphans = killed.includes('supervisor') ? SERVICES.filter((part) => !killed.includes(part)) : [];
  for (const part of orphans) note(history, { part, what, ended: 'killed', lastsMs: BACK_MS });
  const missing = parts.filter((part) => !killed.includes(part));
  return missing.length > 0 ? `not there: ${missing.join(', ')}` : undefined;
}

function kill(random: Random, stack: ChaosStack, history: History): Fault {
  const part = random.pick(PARTS);
  const what = `kill -9 ${part}`;
  return { what, begin: () => killNow(what, [part], stack, history) };
}

/** The supervisor comes first: it would start the others again. */
const EVERYTHING: readonly Part[] = ['supervisor', ...PARTS.filter((part) => part !== 'supervisor')];

function killAll(_: Random, stack: ChaosStack, history: History): Fault {
  const what = 'kill -9 everything';
  return { what, begin: () => killNow(what, EVERYTHING, stack, history) };
}

function killStoreMidBatch(random: Random, stack: ChaosStack, history: History): Fault {
  const bytes = random.between(1, 12) * 1_024;
  const delayMs = random.between(0, 4);
  const what = `kill -9 eventstore ${delayMs} ms after it is sent ${bytes} bytes`;
  const killStore = () => void killNow(what, ['eventstore'], stack, history);
  return {
    what,
    begin() {
      stack.proxies.store.onceAsked(bytes, () => (delayMs === 0 ? killStore() : setTimeout(killStore, delayMs)));
      return undefined;
    },
  };
}

/** What can be rebuilt, and may be deleted while nothing runs. */
function loseFiles(random: Random, stack: ChaosStack, history: History): Fault {
  const lost = random.pick<Derived[]>([['read models'], ['relay table'], ['read models', 'relay table']]);
  const all = random.chance(0.5) ? [...lost, 'queue' as const] : lost;
  const what = `kill -9 everything and throw away: ${all.join(', ')}`;
  let letStart = () => {};
  return {
    what,
    begin() {
      letStart = stack.holdStarts();
      return killNow(what, EVERYTHING, stack, history);
    },
    async end() {
      await stack.whenGone(PARTS, GONE_MS);
      for (const name of all) stack.throwAway(name);
      note(history, { part: 'projector+relay', what, lastsMs: BACK_MS });
      letStart();
    },
  };
}

/** What runs under something that starts it again. */
function tellToStop(random: Random, stack: ChaosStack, history: History): Fault {
  const part = random.pick<Part>([...SERVICES, 'eventstore']);
  const what = `SIGTERM ${part}`;
  let ending: Promise<void> | undefined;
  return {
    what,
    begin() {
      ending = endInOrder(what, part, stack, history);
      return ending ? undefined : 'it was not there';
    },
    end: () => ending,
  };
}

/** As Ctrl-C and the next start do: first the services, by their supervisor, then what they need. */
function tellAllToStop(_: Random, stack: ChaosStack, history: History): Fault {
  const what = 'SIGTERM everything, then start it again';
  let letStart = () => {};
  let services: Promise<void> | undefined;
  return {
    what,
    begin() {
      letStart = stack.holdStarts();
      const troubles = SERVICES.map((part) => note(history, { part, what, ended: 'told' }));
      services = endInOrder(what, 'supervisor', stack, history)?.then(() => stack.whenGone(SERVICES, GONE_MS));
      void (services ?? Promise.resolve()).then(() => {
        for (const trouble of troubles) trouble.toMs = Date.now();
      });
      return services ? undefined : 'the supervisor was not there';
    },
    async end() {
      await services;
      for (const part of ['nats-server', 'eventstore'] as const) await endInOrder(what, part, stack, history);
      letStart();
    },
  };
}

/** Tells it to stop. @returns undefined where it is not there, else what resolves when it is gone */
function endInOrder(what: string, part: Part, stack: ChaosStack, history: History): Promise<void> | undefined {
  const gone = stack.whenEnded(part, GONE_MS);
  if (!gone || !stack.signal(part, 'SIGTERM')) return undefined;
  const trouble = note(history, { part, what, ended: 'told' });
  return gone.then(() => {
    trouble.toMs = Date.now();
  });
}

function stopParts(what: string, holdMs: number, parts: readonly Part[], stack: ChaosStack, history: History): Fault {
  const stopped: { pid: number; trouble: Trouble }[] = [];
  // Also where the harness ends before its time: a stopped process could not follow it.
  const resumeAll = () => {
    for (const { pid } of stopped) resume(pid);
  };
  return {
    ...{ what, holdMs },
    begin() {
      for (const part of parts) {
        const pid = stack.pid(part);
        if (pid === undefined || !stack.signal(part, 'SIGSTOP')) continue;
        stopped.push({ pid, trouble: note(history, { part, what }) });
      }
      process.once('exit', resumeAll);
      return stopped.length < parts.length ? 'not all were there' : undefined;
    },
    end() {
      for (const { trouble } of stopped) trouble.toMs = Date.now();
      process.off('exit', resumeAll);
      resumeAll();
    },
  };
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was killed while it was stopped.
  }
}

function stop(random: Random, stack: ChaosStack, history: History): Fault {
  const part = random.pick(PARTS);
  const holdMs = random.chance(0.2) ? random.between(11_000, 14_000) : holding(random);
  return stopParts(`SIGSTOP ${part}`, holdMs, [part], stack, history);
}

function stopAll(random: Random, stack: ChaosStack, history: History): Fault {
  return stopParts('SIGSTOP everything', holding(random), PARTS, stack, history);
}

function restartBroker(_: Random, stack: ChaosStack, history: History): Fault {
  const what = 'restart nats-server';
  return {
    what,
    begin() {
      note(history, { part: 'nats-server', what, lastsMs: BACK_MS });
      return stack.signal('nats-server', 'SIGTERM') ? undefined : 'it was not there';
    },
  };
}

function wipeBroker(_: Random, stack: ChaosStack, history: History): Fault {
  const what = 'kill -9 nats-server and throw its directory away';
  return {
    what,
    begin() {
      stack.throwAway('queue');
      return killNow(what, ['nats-server'], stack, history);
    },
  };
}

const BEHIND: Readonly<Record<'store' | 'broker', Part>> = { store: 'eventstore', broker: 'nats-server' };

function freeze(random: Random, stack: ChaosStack, history: History): Fault {
  const to = random.pick(['store', 'broker'] as const);
  const mode = random.pick<ProxyMode>(['freeze', 'deaf']);
  const isCutAfter = random.chance(0.5);
  const what = `network to ${to}: ${mode}${isCutAfter ? ', then cut' : ''}`;
  let trouble: Trouble | undefined;
  return {
    what,
    holdMs: holding(random),
    begin() {
      trouble = note(history, { part: BEHIND[to], what });
      stack.proxies[to].set(mode);
      return undefined;
    },
    end() {
      if (trouble) trouble.toMs = Date.now();
      if (isCutAfter) stack.proxies[to].cut();
      stack.proxies[to].set('pass');
    },
  };
}

function cut(random: Random, stack: ChaosStack, history: History): Fault {
  const to = random.pick(['store', 'broker'] as const);
  const what = `network to ${to}: all connections cut`;
  return {
    what,
    begin() {
      note(history, { part: BEHIND[to], what, lastsMs: AT_ONCE_MS });
      stack.proxies[to].cut();
      return undefined;
    },
  };
}

const ON_DISK: Readonly<Record<Disk, readonly Part[]>> = {
  eventstore: ['eventstore'],
  nats: ['nats-server'],
  data: ['projector+relay'],
};

function fullDisk(random: Random, stack: ChaosStack, history: History): Fault {
  const name = random.pick(DISKS);
  const leftBytes = random.between(0, 64) * 1_024;
  const what = `disk of ${name} full but for ${leftBytes} bytes`;
  let troubles: Trouble[] = [];
  return {
    what,
    holdMs: holding(random),
    begin() {
      const disk = stack.disks.get(name);
      if (!disk) return 'skipped: this user or system cannot mount a disk';
      troubles = ON_DISK[name].map((part) => note(history, { part, what }));
      disk.fill(leftBytes);
      return undefined;
    },
    end() {
      stack.disks.get(name)?.free();
      for (const trouble of troubles) trouble.toMs = Date.now() + AT_ONCE_MS;
    },
  };
}

/**
 * By how much clocks may move. Whatever stamps a time is believed: a delivery whose clock jumps an hour ahead ends retry windows early, and a gateway that
 * lives in the future begins them late. So the gateway moves by seconds, delivery ahead by up to hours and back by seconds: an appointment that it made in
 * the future is kept there. The relay stamps nothing and may be anywhere for a while.
 */
const MOVES: Readonly<Record<'gateway' | 'delivery' | 'projector+relay', (random: Random) => number>> = {
  gateway: (random) => random.between(-20_000, 5_000),
  delivery: (random) => random.between(-5_000, random.pick([5_000, 5 * MINUTE_MS, 120 * MINUTE_MS])),
  'projector+relay': (random) => random.between(-120 * MINUTE_MS, 120 * MINUTE_MS),
};

function moveClock(random: Random, stack: ChaosStack): Fault {
  const role = random.pick(SERVICES) as keyof typeof MOVES;
  const byMs = MOVES[role](random);
  return {
    what: `clock of ${role} moved by ${byMs / 1_000} s`,
    begin() {
      stack.moveClock(role, byMs);
      return undefined;
    },
    ...(role === 'projector+relay' && { holdMs: holding(random), end: () => stack.moveClock(role, -byMs) }),
  };
}
