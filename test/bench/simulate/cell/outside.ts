import { createEventLoop } from '../event-loop.ts';
import type { Machines } from './machines.ts';
import type { Costs, Delivery } from './setting.ts';

/** Time from connect to the end of the headers; see `DELIVERY_TIMEOUT` in `infra/settings.ts`. */
const TIMEOUT_MS = 15_000;

export interface OutsideOptions {
  readonly machines: Machines;
  /** What its two processes cost where they share our cores. */
  readonly costs: Costs;
  readonly answerMs: number;
}

/** Publishers and receivers: processes on the same cores, or somewhere else, where they cost us nothing but time. */
export function createOutside({ machines, costs, answerMs }: OutsideOptions) {
  const { turnMs, eventMs } = costs;
  const { timeline, outsideCores, hopMs } = machines;
  const here = outsideCores && {
    publisher: createEventLoop(timeline, outsideCores, { turnMs: turnMs.publisher }),
    receiver: createEventLoop(timeline, outsideCores, { turnMs: turnMs.receiver }),
  };

  /** One half of what a publication costs its publisher: to send it, or to take the answer. */
  const publish = (effect: () => void): void =>
    here ? here.publisher.post(eventMs.publisher / 2, effect) : timeline.after(hopMs, effect);

  return {
    send: publish,
    take: publish,
    /** Receives a POST. @param has the receiver has all of it @param answered its answer is here, if there is one */
    receive(
      { webhook }: Delivery,
      has: () => void,
      answered: (answer: { isThere: boolean; isOk: boolean }) => void,
    ): void {
      if (webhook.kind === 'hanging') {
        timeline.after(TIMEOUT_MS, () => answered({ isThere: false, isOk: false }));
        return;
      }
      const answer = () => {
        has();
        timeline.after(answerMs, () => answered({ isThere: true, isOk: webhook.kind === 'healthy' }));
      };
      if (here) here.receiver.post(eventMs.receiver, answer);
      else timeline.after(hopMs, answer);
    },
    used: () => ({ publisher: here ? [here.publisher.used()] : [], receiver: here ? [here.receiver.used()] : [] }),
  };
}
