import { expect } from 'chai';
import { decideChannel, evolveChannel, NO_CHANNEL } from '../../domain/channel.ts';
import { decideErasure, evolveErasure, NO_ERASURE } from '../../domain/erasure.ts';
import { decideGuid, evolveGuid, FREE_GUID } from '../../domain/guid.ts';
import { decideRecovery, evolveRecovery, NO_RECOVERY } from '../../domain/recovery.ts';
import { Refusal, type RefusalCode } from '../../domain/refusal.ts';
import { decideWebhook, evolveWebhook, NO_WEBHOOK } from '../../domain/webhook.ts';

interface Decider<State, Command, Fact> {
  readonly initial: State;
  readonly evolve: (state: State, fact: Fact) => State;
  readonly decide: (state: State, command: Command) => Fact[];
}

/** The words in which a decider is tested: `given(...facts).when(command).then(...facts)` or `.thenRefused(code)`. */
function about<State, Command, Fact>({ initial, evolve, decide }: Decider<State, Command, Fact>) {
  return (...facts: Fact[]) => ({
    when(command: Command) {
      const run = () => decide(facts.reduce(evolve, initial), command);
      return {
        /** Exactly these facts; none where none is named. */
        // biome-ignore lint/suspicious/noThenProperty: the words are given, when, then; nobody awaits them.
        then: (...expected: Fact[]): void => void expect(run()).to.deep.equal(expected),
        thenRefused(code: RefusalCode, field?: string): void {
          const refusal = refusalOf(run);
          expect({ code: refusal.code, field: refusal.field }).to.deep.equal({ code, field });
        },
      };
    },
    /** The state that the facts fold to. */
    thenState: (expected: State): void => void expect(facts.reduce(evolve, initial)).to.deep.equal(expected),
  });
}

export function refusalOf(run: () => unknown): Refusal {
  try {
    const result = run();
    throw new Error(`nothing was refused: ${JSON.stringify(result)}`);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

export const givenChannel = about({ initial: NO_CHANNEL, evolve: evolveChannel, decide: decideChannel });
export const givenWebhook = about({ initial: NO_WEBHOOK, evolve: evolveWebhook, decide: decideWebhook });
export const givenGuid = about({ initial: FREE_GUID, evolve: evolveGuid, decide: decideGuid });
export const givenErasure = about({ initial: NO_ERASURE, evolve: evolveErasure, decide: decideErasure });
export const givenRecovery = about({ initial: NO_RECOVERY, evolve: evolveRecovery, decide: decideRecovery });
