import type { RecordedEvent } from './event.ts';

/** Rings once, or stays rung until somebody listens: no ring is lost, and many rings before that count as one. */
export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  async whenRung(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#rung = false;
    this.#wake = undefined;
  }
}

/** Who is woken by new events: of one stream, or (`undefined`) of any. */
export class Alarms {
  readonly #byStream = new Map<string | undefined, Set<Alarm>>();

  /** Returns what takes the alarm off again. */
  add(stream: string | undefined, alarm: Alarm): () => void {
    const alarms = this.#byStream.get(stream) ?? new Set();
    this.#byStream.set(stream, alarms.add(alarm));
    return () => {
      alarms.delete(alarm);
      if (alarms.size === 0 && this.#byStream.get(stream) === alarms) this.#byStream.delete(stream);
    };
  }

  announce(events: readonly RecordedEvent[]): void {
    if (this.#byStream.size === 0) return;
    this.#ring(undefined);
    for (const stream of new Set(events.map((event) => event.stream.text))) this.#ring(stream);
  }

  #ring(stream: string | undefined): void {
    for (const alarm of this.#byStream.get(stream) ?? []) alarm.ring();
  }
}
