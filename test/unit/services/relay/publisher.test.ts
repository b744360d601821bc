import { expect } from 'chai';
import { pino } from 'pino';
import type { Queue } from '../../../../infra/queue/client.ts';
import { createPublisher } from '../../../../services/relay/publisher.ts';

const MESSAGE = { event_id: 1, webhook_id: 2, position: 3 };

describe('the publisher', () => {
  let sequences: (number | Error)[];
  let ids: string[];
  let said: string[];
  let publisher: ReturnType<typeof createPublisher>;
  beforeEach(() => {
    sequences = [];
    ids = [];
    said = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) });
    const queue = {
      ensure: async () => {},
      async publish(_: unknown, id: string) {
        ids.push(id);
        const next = sequences.shift();
        if (next instanceof Error) throw next;
        return next;
      },
    } as unknown as Queue;
    publisher = createPublisher(queue, log, {
      signal: new AbortController().signal,
      isOver: () => false,
    });
  });
  const addAll = async (...answers: (number | Error)[]) => {
    sequences.push(...answers);
    for (let n = answers.filter((answer) => typeof answer === 'number').length; n > 0; n--) {
      await publisher.add(MESSAGE, `${n}`);
    }
  };

  it('tells the last sequence, also where answers come out of order', async () => {
    await addAll(5, 7, 6);
    expect(await publisher.flush()).to.equal(7);
  });

  it('tells none where nothing was added since', async () => {
    await addAll(5);
    await publisher.flush();
    expect(await publisher.flush()).to.equal(undefined);
  });

  it('tells that of the stream that took the place of another, whose numbers begin anew', async () => {
    await addAll(25_000, 25_001, 1, 2);
    expect(await publisher.flush()).to.equal(2);
  });

  it('adds a message until the queue has it, under the same id', async () => {
    await addAll(new Error('gone'), 1);
    expect(await publisher.flush()).to.equal(1);
    expect(ids).to.deep.equal(['1', '1']);
  });

  it('does not say of each message that the queue refuses it', async () => {
    await addAll(
      ...Array.from({ length: 20 }, () => new Error('gone')),
      ...Array.from({ length: 20 }, (_, i) => i + 1),
    );
    await publisher.flush();
    expect(ids).to.have.length(40);
    expect(said).to.have.length(1);
    expect(JSON.parse(said[0] as string)).to.deep.include({ message_id: '20' });
  });
});
