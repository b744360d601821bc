import type { ChaosStack, Disk } from './chaos-stack.ts';
import { DISKS } from './chaos-stack.ts';
import { type History, PARTS, type Part, type Trouble } from './history.ts';
import type { ProxyMode } from './proxy.ts';
import type { Random } from './random.ts';

/** One fault: decided from the seed alone before it begins. */
export interface Fault {
  readonly what: string;
  /** From its beginning to its end; 0 where nothing is to be ended. */
  readonly holdMs: number;
  /** @returns what is to be said, where it could not be done */
  begin(): string | undefined;
  end(): void;
}

type Make = (random: Random, stack: ChaosStack, history: History) => Fault;

/** How long a part that was killed may take to be itself again, in ms. Services are dead at once; what a dead supervisor leaves behind takes its time. */
const BACK_MS = 6_000;
const AT_ONCE_MS = 500;
const SERVICES: readonly Part[] = ['gateway', 'delivery', 'projector+relay'];
const MINUTE_MS = 60_000;

export const FAULTS: Readonly<Record<string, { readonly weight: number; readonly make: Make }>> = {
  kill: { weight: 6, make: kill },
  'kill all': { weight: 1, make: killAll },
  'kill store mid-batch': { weight: 3, make: killStoreMidBatch },
  stop: { weight: 4, make: stop },
  'stop all': { weight: 1, make: stopAll },
  'restart broker': { weight: 2, make: restartBroker },
  'wipe broker': { weight: 2, make: wipeBroker },
  'freeze network': { weight: 4, make: freeze },
  'cut network': { weight: 2, make: cut },
  'full disk': { weight: 3, make: fullDisk },
  'move clock': { weight: 2, make: moveClock },
};

const nothing = () => {};
const holding = (random: Random) => random.between(500, 6_500);

/** Notes a trouble from now on. */
function note(history: History, part: Part, { lastsMs = Number.POSITIVE_INFINITY, isDeath = false } = {}): Trouble {
  const fromMs = Date.now();
  const trouble = { part, isDeath, fromMs, toMs: fromMs + lastsMs };
  history.troubles.push(trouble);
  return trouble;
}

function noteDeath(history: History, part: Part): void {
  note(history, part, { lastsMs: SERVICES.includes(part) ? AT_ONCE_MS : BACK_MS, isDeath: true });
  // Its children notice, and end within seconds, or are ended by the next supervisor.
  if (part === 'supervisor') for (const child of SERVICES) note(history, child, { lastsMs: BACK_MS, isDeath: true });
}

function killNow(stack: ChaosStack, history: History, parts: readonly Part[]): string | undefined {
  const missing = parts.filter((part) => {
    const isThere = stack.signal(part, 'SIGKILL');
    if (isThere) noteDeath(history, part);
    return !isThere;
  });
  return missing.length > 0 ? `not there: ${missing.join(', ')}` : undefined;
}

function kill(random: Random, stack: ChaosStack, history: History): Fault {
  const part = random.pick(PARTS);
  return { what: `kill -9 ${part}`, holdMs: 0, begin: () => killNow(stack, history, [part]), end: nothing };
}

function killAll(_: Random, stack: ChaosStack, history: History): Fault {
  // The supervisor comes first: it would start the others again.
  const parts: Part[] = ['supervisor', ...PARTS.filter((part) => part !== 'supervisor')];
  return { what: 'kill -9 everything', holdMs: 0, begin: () => killNow(stack, history, parts), end: nothing };
}

function killStoreMidBatch(random: Random, stack: ChaosStack, history: History): Fault {
  const bytes = random.between(1, 12) * 1_024;
  const delayMs = random.between(0, 4);
  const killStore = () => void killNow(stack, history, ['eventstore']);
  return {
    what: `kill -9 eventstore ${delayMs} ms after it is sent ${bytes} bytes`,
    holdMs: 0,
    begin() {
      stack.proxies.store.onceAsked(bytes, () => (delayMs === 0 ? killStore() : setTimeout(killStore, delayMs)));
      return undefined;
    },
    end: nothing,
  };
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
        stopped.push({ pid, trouble: note(history, part) });
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
  return {
    what: 'restart nats-server',
    holdMs: 0,
    begin() {
      note(history, 'nats-server', { lastsMs: BACK_MS });
      return stack.signal('nats-server', 'SIGTERM') ? undefined : 'it was not there';
    },
    end: nothing,
  };
}

function wipeBroker(_: Random, stack: ChaosStack, history: History): Fault {
  return {
    what: 'kill -9 nats-server and throw its directory away',
    holdMs: 0,
    begin() {
      stack.wipeBroker();
      return killNow(stack, history, ['nats-server']);
    },
    end: nothing,
  };
}

const BEHIND: Readonly<Record<'store' | 'broker', Part>> = { store: 'eventstore', broker: 'nats-server' };

function freeze(random: Random, stack: ChaosStack, history: History): Fault {
  const to = random.pick(['store', 'broker'] as const);
  const mode = random.pick<ProxyMode>(['freeze', 'deaf']);
  const isCutAfter = random.chance(0.5);
  let trouble: Trouble | undefined;
  return {
    what: `network to ${to}: ${mode}${isCutAfter ? ', then cut' : ''}`,
    holdMs: holding(random),
    begin() {
      trouble = note(history, BEHIND[to]);
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
  return {
    what: `network to ${to}: all connections cut`,
    holdMs: 0,
    begin() {
      note(history, BEHIND[to], { lastsMs: AT_ONCE_MS });
      stack.proxies[to].cut();
      return undefined;
    },
    end: nothing,
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
  let troubles: Trouble[] = [];
  return {
    what: `disk of ${name} full but for ${leftBytes} bytes`,
    holdMs: holding(random),
    begin() {
      const disk = stack.disks.get(name);
      if (!disk) return 'skipped: this user or system cannot mount a disk';
      troubles = ON_DISK[name].map((part) => note(history, part));
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
    holdMs: role === 'projector+relay' ? holding(random) : 0,
    begin() {
      stack.moveClock(role, byMs);
      return undefined;
    },
    end: () => stack.moveClock(role, -byMs),
  };
}
