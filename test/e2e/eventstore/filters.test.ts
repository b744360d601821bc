import {
  END,
  type EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter,
  type Position,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { follow } from './follow.ts';
import { collect, connect, endAll, event, events, newStream, startServer } from './support.ts';

describe('eventstore: filtered subscriptions to $all', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  const FILTERS: Record<string, [filter: Filter, expected: string[]]> = {
    'by stream prefix': [streamNameFilter({ prefixes: ['channel-', 'hook-'] }), ['A', 'B', 'B2', 'A', 'B', 'B2']],
    'by stream regex': [streamNameFilter({ regex: '^hook' }), ['B', 'B2', 'B', 'B2']],
    'by type prefix': [eventTypeFilter({ prefixes: ['B', 'C'] }), ['B', 'B2', 'C', 'B', 'B2', 'C']],
    'by type regex': [eventTypeFilter({ regex: '[0-9]$' }), ['B2', 'B2']],
  };

  for (const [name, [filter, expected]] of Object.entries(FILTERS)) {
    it(`${name} bring what matches, from history and live`, async () => {
      const { position } = await client.appendToStream(newStream(), event());
      const suffix = newStream();
      const write = async () => {
        await client.appendToStream(`channel-${suffix}`, event({}, 'A'));
        await client.appendToStream(`hook-${suffix}`, [event({}, 'B'), event({}, 'B2')]);
        await client.appendToStream(`other-${suffix}`, event({}, 'C'));
      };
      await write();
      const { seen, whenCaughtUp, sawCount, subscription } = follow(
        client.subscribeToAll({ fromPosition: position ?? START, filter }),
        'type',
      );
      await whenCaughtUp;
      await write();
      await sawCount(expected.length + 1);
      const history = expected.length / 2;
      expect(seen).to.deep.equal([...expected.slice(0, history), 'caughtUp', ...expected.slice(history)]);
      await subscription.unsubscribe();
    });
  }

  it('hide system streams only where the filter does', async () => {
    const stream = newStream();
    const from = await client.appendToStream(stream, event());
    await client.setStreamMetadata(stream, { maxCount: 9 });
    await client.appendToStream(stream, event({}, 'Last'));
    const fromPosition = from.position ?? START;
    const seenWith = async (filter: Filter) => {
      const { seen, whenCaughtUp, subscription } = follow(client.subscribeToAll({ fromPosition, filter }), 'type');
      await whenCaughtUp;
      await subscription.unsubscribe();
      return seen;
    };
    expect(await seenWith(streamNameFilter({ regex: '.*' }))).to.deep.equal(['$metadata', 'Last', 'caughtUp']);
    expect(await seenWith(streamNameFilter({ regex: '^[^\\$].*' }))).to.deep.equal(['Last', 'caughtUp']);
    expect(await seenWith(excludeSystemEvents())).to.deep.equal(['Last', 'caughtUp']);
  });

  it('report a checkpoint each window × interval events looked at, matching or not', async () => {
    const from = await client.appendToStream(newStream(), event());
    const matching = newStream('checkpoint');
    for (let n = 0; n < 8; n++) {
      await client.appendToStream(matching, events(4));
      await client.appendToStream(newStream('noise'), events(16));
    }
    const positions = (await collect(client.readAll({ fromPosition: from.position ?? START })))
      .slice(1)
      .map((read) => read.event?.position?.commit);
    const checkpoints: Position[] = [];
    const filter = eventTypeFilter({
      prefixes: ['Happened'],
      maxSearchWindow: 10,
      checkpointInterval: 3,
      checkpointReached: async (_subscription, position) => {
        checkpoints.push(position);
      },
    });
    const { whenCaughtUp, subscription } = follow(
      client.subscribeToAll({ fromPosition: from.position ?? START, filter }),
    );
    await whenCaughtUp;
    await subscription.unsubscribe();
    expect(checkpoints.map(({ commit }) => commit)).to.deep.equal(
      [29, 59, 89, 119, 149].map((index) => positions[index]),
    );
  });

  it('report the sixth checkpoint right after event 384, by the default window of 32 and an interval of 2', async () => {
    const from = await client.appendToStream(newStream(), event());
    await client.appendToStream(newStream(), events(500));
    const order: (number | 'checkpoint')[] = [];
    const filter = eventTypeFilter({
      regex: '^Happened$',
      checkpointInterval: 2,
      checkpointReached: async () => {
        order.push('checkpoint');
        await new Promise(setImmediate);
      },
    });
    const subscription = client.subscribeToAll({ fromPosition: from.position ?? START, filter });
    let count = 0;
    for await (const _ of subscription) {
      order.push(++count);
      if (count === 385) break;
    }
    expect(order.filter((each) => each === 'checkpoint').length).to.be.within(6, 7);
  });

  it('go on counting when live, and while nothing matches', async () => {
    let reached: (position: Position) => void = () => {};
    const checkpoint = new Promise<Position>((resolve) => {
      reached = resolve;
    });
    const filter = streamNameFilter({
      prefixes: ['no stream is called so'],
      checkpointInterval: 1,
      checkpointReached: async (_subscription, position) => reached(position),
    });
    const { whenCaughtUp, subscription } = follow(client.subscribeToAll({ fromPosition: END, filter }));
    await whenCaughtUp;
    const { position } = await client.appendToStream(newStream(), events(32));
    expect(await checkpoint).to.deep.equal(position);
    await subscription.unsubscribe();
  });

  it('end with an error for a regular expression that is none', async () => {
    const subscription = client.subscribeToAll({ filter: eventTypeFilter({ regex: '(' }) });
    const error = await new Promise<Error>((resolve) => subscription.once('error', resolve));
    expect(error.message).to.contain('INVALID_ARGUMENT');
  });
});
