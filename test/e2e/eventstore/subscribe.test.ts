import { once } from 'node:events';
import { END, type EventStoreDBClient, NO_STREAM, START, StreamDeletedError } from '@eventstore/db-client';
import { expect } from 'chai';
import { follow } from './follow.ts';
import { connect, endAll, event, events, newStream, startServer } from './support.ts';

describe('eventstore: subscriptions', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  describe('to a stream', () => {
    it('bring what is there, one caughtUp, then what comes', async () => {
      const stream = newStream();
      await client.appendToStream(stream, events(3));
      const { seen, sawCount, subscription } = follow(client.subscribeToStream(stream, { fromRevision: START }));
      await sawCount(4);
      await client.appendToStream(stream, events(2));
      await sawCount(6);
      expect(seen).to.deep.equal([0, 1, 2, 'caughtUp', 3, 4]);
      expect(subscription.id).to.be.a('string').that.is.not.equal('');
      await subscription.unsubscribe();
    });

    it('begin after the given revision', async () => {
      const stream = newStream();
      await client.appendToStream(stream, events(4));
      for (const [from, expected] of [
        [2n, [3, 'caughtUp']],
        [3n, ['caughtUp']],
        [0n, [1, 2, 3, 'caughtUp']],
      ] as const) {
        const { seen, whenCaughtUp, subscription } = follow(client.subscribeToStream(stream, { fromRevision: from }));
        await whenCaughtUp;
        expect(seen).to.deep.equal(expected);
        await subscription.unsubscribe();
      }
    });

    it('from the end bring nothing old', async () => {
      const stream = newStream();
      await client.appendToStream(stream, events(4));
      const { seen, sawCount, whenCaughtUp, subscription } = follow(
        client.subscribeToStream(stream, { fromRevision: END }),
      );
      await whenCaughtUp;
      await client.appendToStream(stream, event());
      await sawCount(2);
      expect(seen).to.deep.equal(['caughtUp', 4]);
      await subscription.unsubscribe();
    });

    it('wait for a stream that is not there yet', async () => {
      for (const fromRevision of [START, END] as const) {
        const stream = newStream();
        const { seen, sawCount, whenCaughtUp, subscription } = follow(
          client.subscribeToStream(stream, { fromRevision }),
        );
        await whenCaughtUp;
        await client.appendToStream(stream, event());
        await sawCount(2);
        expect(seen).to.deep.equal(['caughtUp', 0]);
        await subscription.unsubscribe();
      }
    });

    it('hear nothing of other streams', async () => {
      const [stream, other] = [newStream(), newStream()];
      const { seen, sawCount, whenCaughtUp, subscription } = follow(client.subscribeToStream(stream));
      await whenCaughtUp;
      await client.appendToStream(other, event());
      await client.appendToStream(stream, event());
      await sawCount(2);
      expect(seen).to.deep.equal(['caughtUp', 0]);
      await subscription.unsubscribe();
    });

    it('end with StreamDeleted when the stream is tombstoned, before or while', async () => {
      const stream = newStream();
      const live = client.subscribeToStream(stream);
      await once(live, 'caughtUp');
      const ended = once(live, 'error');
      await client.tombstoneStream(stream, { expectedRevision: NO_STREAM });
      expect((await ended)[0]).to.be.instanceOf(StreamDeletedError);
      const [late] = await once(client.subscribeToStream(stream), 'error');
      expect(late).to.be.instanceOf(StreamDeletedError);
    });

    it('apply retention to what is there', async () => {
      const stream = newStream();
      await client.appendToStream(stream, events(20));
      await client.setStreamMetadata(stream, { maxCount: 2 });
      const { seen, whenCaughtUp, subscription } = follow(client.subscribeToStream(stream));
      await whenCaughtUp;
      expect(seen).to.deep.equal([18, 19, 'caughtUp']);
      await subscription.unsubscribe();
    });
  });

  it('to $all bring what is there, one caughtUp, then what comes', async () => {
    const [stream, later] = [newStream('all'), newStream('all')];
    const before = await client.appendToStream(newStream(), event());
    await client.appendToStream(stream, events(2));
    if (!before.position) throw new Error('an append has a position');
    const { seen, sawCount, subscription } = follow(
      client.subscribeToAll({ fromPosition: before.position }),
      'streamId',
    );
    await sawCount(3);
    await client.appendToStream(later, event());
    await sawCount(4);
    expect(seen).to.deep.equal([stream, stream, 'caughtUp', later]);
    await subscription.unsubscribe();
  });
});
