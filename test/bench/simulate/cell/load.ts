import type { Random } from '../../../support/random.ts';
import type { Timeline } from '../timeline.ts';
import { exponentialMs } from '../zipf.ts';
import type { Load } from './setting.ts';

export interface Publishing {
  readonly timeline: Timeline;
  readonly load: Load;
  readonly durationMs: number;
  readonly random: Random;
  /** Publishes one event, which was due then; says when it is accepted. */
  readonly publish: (dueMs: number, accepted: () => void) => void;
}

/** Timers fire at whole ms. */
const TIMER_MS = 1;

/** Publishes for a while; how many are published is the answer's to tell. */
export function publishLoad({ timeline, load, durationMs, random, publish }: Publishing): void {
  if (load.kind === 'closed') {
    const again = () => {
      if (timeline.nowMs() < durationMs) publish(timeline.nowMs(), again);
    };
    for (let index = 0; index < load.width; index++) again();
    return;
  }
  const { kind, perS } = load;
  const gapMs = () => (kind === 'random' ? exponentialMs(random, perS) : 1_000 / perS);
  const sentMs = (dueMs: number) => (kind === 'steady' ? Math.ceil(dueMs / TIMER_MS) * TIMER_MS : dueMs);
  const send = (dueMs: number) => {
    if (dueMs >= durationMs) return;
    timeline.at(sentMs(dueMs), () => {
      publish(dueMs, () => {});
      send(dueMs + gapMs());
    });
  };
  send(gapMs());
}
