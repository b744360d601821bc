import { once } from 'node:events';
import { type EventStoreDBClient, START, type StreamSubscription } from '@eventstore/db-client';
import { expect } from 'chai';
import { follow } from './follow.ts';
import { connect, endAll, event, events, newStream, startServer } from './support.ts';

describe('eventstore: subscriptions under way', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  it('say caughtUp after exactly what was there at the start, though more has come meanwhile', async () => {
    const stream = newStream();
    const from = await client.appendToStream(newStream(), event());
    // More than the server sends to a client that reads nothing: it is still in the history when the last event comes.
    const history = Array.from({ length: 14 }, (_, n) => n);
    for (const n of history) await client.appendToStream(stream, event({ n, payload: 'x'.repeat(200_000) }));
    const subscriptions = [
      client.subscribeToStream(stream),
      client.subscribeToAll({ fromPosition: from.position ?? START }),
    ];
    await Promise.all(subscriptions.map((subscription) => once(subscription, 'confirmation')));
    await client.appendToStream(stream, event());
    for (const subscription of subscriptions) {
      const { seen, sawCount } = follow(subscription);
      await sawCount(16);
      expect(seen).to.deep.equal([...history, 'caughtUp', 14]);
      await subscription.unsubscribe();
    }
  });

  it('miss nothing that is appended while they wait for a client to read', async () => {
    const stream = newStream();
    const { position } = await client.appendToStream(stream, event());
    const subscriptions = [
      client.subscribeToStream(stream, { fromRevision: 0n }),
      client.subscribeToAll({ fromPosition: position ?? START }),
    ];
    await Promise.all(subscriptions.map((subscription) => once(subscription, 'caughtUp')));
    for (const subscription of subscriptions) subscription.pause();
    for (let n = 0; n < 4; n++) await client.appendToStream(stream, event({ payload: 'x'.repeat(400_000) }));
    for (const subscription of subscriptions) {
      const { seen, sawCount } = follow(subscription);
      subscription.resume();
      await sawCount(4);
      expect(seen).to.deep.equal([1, 2, 3, 4]);
      await subscription.unsubscribe();
    }
  });

  it('lose and repeat nothing at the switch to live, in 80 rounds against a writer', async () => {
    const stream = newStream();
    for (let round = 0; round < 80; round++) {
      const appending = client.appendToStream(stream, events(3));
      const { seen, sawCount, subscription } = follow(client.subscribeToStream(stream));
      await appending;
      await client.appendToStream(stream, events(2));
      const count = 5 * (round + 1);
      await sawCount(count + 1);
      expect(seen.filter((each) => each !== 'caughtUp')).to.deep.equal(Array.from({ length: count }, (_, n) => n));
      expect(seen.filter((each) => each === 'caughtUp')).to.have.length(1);
      await subscription.unsubscribe();
    }
  });

  it('to $all bring the same to all readers while many write', async () => {
    const streams = Array.from({ length: 10 }, () => newStream('busy'));
    const from = await client.appendToStream(newStream(), event());
    const fromPosition = from.position ?? START;
    const readers = Array.from({ length: 5 }, () => follow(client.subscribeToAll({ fromPosition }), 'id'));
    await Promise.all(
      streams.map(async (stream) => {
        for (let n = 0; n < 30; n++) await client.appendToStream(stream, events(5));
      }),
    );
    await Promise.all(readers.map(({ sawCount }) => sawCount(1_501)));
    const ids: string[] = [];
    for await (const { event: recorded } of client.readAll({ fromPosition })) ids.push(recorded?.id ?? '');
    for (const { seen, subscription } of readers) {
      expect(seen.filter((each) => each !== 'caughtUp')).to.deep.equal(ids.slice(1));
      await subscription.unsubscribe();
    }
  });

  it('bring everything to a slow consumer, in order', async () => {
    const stream = newStream();
    const payload = 'x'.repeat(20_000);
    for (let n = 0; n < 10; n++)
      await client.appendToStream(
        stream,
        Array.from({ length: 40 }, () => event({ payload })),
      );
    const subscription = client.subscribeToStream(stream);
    const seen: number[] = [];
    let appended: Promise<unknown> | undefined;
    for await (const { event: recorded } of subscription) {
      await new Promise(setImmediate);
      if (seen.push(Number(recorded?.revision)) === 50) {
        // All of it is far more than the connection takes at once: the server holds the rest back, and goes on meanwhile.
        appended = client.appendToStream(
          stream,
          Array.from({ length: 40 }, () => event({ payload })),
        );
        await appended;
      }
      if (seen.length === 440) break;
    }
    expect(seen).to.deep.equal(Array.from({ length: 440 }, (_, n) => n));
  });

  it('come and go by the hundred at once, and by the thousand one after the other', async () => {
    const stream = newStream();
    await client.appendToStream(stream, event());
    for (let n = 0; n < 1_500; n++) {
      const brief = client.subscribeToStream(stream);
      await once(brief, 'caughtUp');
      await brief.unsubscribe();
    }
    const all: StreamSubscription[] = Array.from({ length: 300 }, () => client.subscribeToStream(stream));
    await Promise.all(all.map((subscription) => once(subscription, 'caughtUp')));
    await Promise.all(all.map((subscription) => subscription.unsubscribe()));
    const answer = await client.appendToStream(stream, event());
    expect(answer.nextExpectedRevision).to.equal(1n);
  });
});
