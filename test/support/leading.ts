import type { Term } from '../../services/relay/leadership.ts';

/** The only term of a relay that leads until `signal` aborts, after nobody. */
export function leading(signal: AbortSignal): Term {
  return { number: 1, found: undefined, wasOurs: false, signal, isOver: () => signal.aborted };
}
