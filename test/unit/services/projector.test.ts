import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import type { EventStore } from '../../../infra/event-store/client.ts';
import { createLog as createLogger } from '../../../infra/log.ts';
import { readModels } from '../../../projections/read-models.ts';
import { createProjector } from '../../../services/projector/projector.ts';
import { CHANNEL_ID, channelCreated, EVENT_ID, published, recorded } from '../../support/sample.ts';
import { waitFor } from '../../support/wait.ts';

const FACTS = recorded(
  [stream.channel(CHANNEL_ID), channelCreated()],
  ...[0, 1, 2, 3, 4].map((n) => [stream.events(CHANNEL_ID), published({ id: EVENT_ID + n })] as const),
);
const END = (FACTS.at(-1)?.position ?? 0) + 7;

/** A store that hands over all facts at once, and nothing more until it is left. */
function storeOf(facts: readonly RecordedFact[]) {
  async function* follow({ after, signal }: { after: number; signal: AbortSignal }) {
    if (after < END) yield { facts: facts.filter(({ position }) => position > after), position: END };
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  return { follow } as unknown as EventStore;
}

describe('the projector', () => {
  it('commits what it has done where a batch takes long, lets others have a turn, and goes on', async () => {
    const db = new DatabaseSync(':memory:');
    let nowMs = 0;
    let turns = 0;
    const seen: { facts: number; position: number; turns: number }[] = [];
    const takeTurn = () => {
      turns += 1;
      if (seen.length < 3) setImmediate(takeTurn);
    };
    const projector = createProjector({
      ...{ db, store: storeOf(FACTS), log: createLogger('test', 'silent') },
      // Each look at the clock is 60 ms later: two facts are more than a turn.
      nowMs: () => (nowMs += 60),
      onBatch: (facts) => seen.push({ facts, position: readModels(db).position(), turns }),
    });
    takeTurn();
    await projector.start();
    await waitFor('the whole batch', () => readModels(db).position() === END);
    await projector.stop();
    expect(seen.map(({ facts }) => facts)).to.deep.equal([2, 2, 2]);
    expect(seen.map(({ position }) => position)).to.deep.equal([FACTS[1]?.position, FACTS[3]?.position, END]);
    const [first, second, third] = seen.map((batch) => batch.turns);
    expect(second).to.be.above(first as number);
    expect(third).to.be.above(second as number);
    db.close();
  });
});
