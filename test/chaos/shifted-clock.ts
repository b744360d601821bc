import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Loaded into a process before its own code (`node --import`): its Date goes wrong by as many ms as the file of its name in CHAOS_CLOCKS says. What
 * measures durations (performance.now, timers) goes right, as where a real clock is set.
 */
const LOOK_MS = 50;
const name = process.argv.slice(2).join('+') || 'supervisor';
const file = join(process.env.CHAOS_CLOCKS ?? '', name);
const RealDate = Date;
let shiftMs = 0;
let lookedMs = Number.NEGATIVE_INFINITY;

function nowMs(): number {
  const elapsedMs = performance.now();
  if (elapsedMs - lookedMs > LOOK_MS) {
    lookedMs = elapsedMs;
    shiftMs = readShiftMs();
  }
  return RealDate.now() + shiftMs;
}

function readShiftMs(): number {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [nowMs()], newTarget),
  apply: () => new RealDate(nowMs()).toString(),
  get: (target, property, receiver) => (property === 'now' ? nowMs : Reflect.get(target, property, receiver)),
});
