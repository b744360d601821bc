import { createEventLoop } from '../event-loop.ts';
import { createCoalescer } from './coalescer.ts';
import type { Machines } from './machines.ts';
import type { Event } from './setting.ts';
import type { Store } from './store.ts';

/** What a publication gives to do: to take it in, to answer it. */
const PARTS = 2;

export type Gateway = ReturnType<typeof createGateway>;

/** Takes publications, and answers each once the store has it on disk. Overload is not refused here: what is to be seen is where it comes from. */
export function createGateway(machines: Machines, node: number, turnMs: number, eventMs: number, store: Store) {
  const { timeline, coresOf } = machines;
  const loop = createEventLoop(timeline, coresOf(node), { turnMs });
  const partMs = eventMs / PARTS;

  const append = createCoalescer<{ event: Event; accepted: () => void }>((batch, appended) =>
    store.append(
      batch.map(({ event }) => event),
      () => {
        for (const { accepted } of batch) loop.post(partMs, () => loop.atEndOfTurn(accepted));
        loop.post(0, appended);
      },
    ),
  );

  return {
    /** @param accepted the answer, once it is sent */
    publish: (event: Event, accepted: () => void): void =>
      loop.post(partMs, () => append(event.channel.index, { event, accepted })),
    used: () => [loop.used()],
  };
}
