import { createEventLoop } from '../event-loop.ts';
import type { Machines } from './machines.ts';
import type { Delivery } from './setting.ts';

/** Time from connect to the end of the headers; see `DELIVERY_TIMEOUT` in `infra/settings.ts`. */
const TIMEOUT_MS = 15_000;

export interface OutsideOptions {
  readonly machines: Machines;
  /** What its two processes cost where they share our cores. */
  readonly turnMs: number;
  readonly taskMs: number;
  readonly answerMs: number;
}

/** Publishers and receivers: processes on the same cores, or somewhere else, where they cost us nothing but time. */
export function createOutside({ machines, turnMs, taskMs, answerMs }: OutsideOptions) {
  const { timeline, outsideCores, hopMs } = machines;
  const here = outsideCores && {
    publisher: createEventLoop(timeline, outsideCores, { turnMs }),
    receiver: createEventLoop(timeline, outsideCores, { turnMs }),
  };

  return {
    /** Sends a publication. */
    send: (sent: () => void): void => (here ? here.publisher.post(taskMs / 2, sent) : timeline.after(hopMs, sent)),
    /** Takes the answer to it. */
    take: (taken: () => void): void => (here ? here.publisher.post(taskMs / 2, taken) : timeline.after(hopMs, taken)),
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
      if (here) here.receiver.post(taskMs, answer);
      else timeline.after(hopMs, answer);
    },
    used: () => (here ? [here.publisher.used(), here.receiver.used()] : []),
  };
}
