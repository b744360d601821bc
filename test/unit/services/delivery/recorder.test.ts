import { expect } from 'chai';
import { pino } from 'pino';
import type { NewFact } from '../../../../domain/facts.ts';
import type { Appended, EventStore } from '../../../../infra/event-store/client.ts';
import { StoreUnavailable } from '../../../../infra/event-store/errors.ts';
import { createRecorder } from '../../../../services/delivery/recorder.ts';
import { waitFor } from '../../../support/wait.ts';

const STREAM = 'deliveries-1';
const APPENDED: Appended = { revision: 0, position: 0 };
const fact = (id: string) => ({ type: 'DeliveryAttempted', id, data: {} }) as unknown as NewFact;

describe('the recorder of outcomes', () => {
  let nowMs: number;
  let calls: { facts: readonly NewFact[]; answer: PromiseWithResolvers<Appended> }[];
  let stop: AbortController;
  let recorder: ReturnType<typeof createRecorder>;

  beforeEach(() => {
    nowMs = 0;
    calls = [];
    stop = new AbortController();
    const store = {
      append(_stream: string, facts: readonly NewFact[]) {
        const answer = Promise.withResolvers<Appended>();
        calls.push({ facts, answer });
        return answer.promise;
      },
    } as unknown as EventStore;
    recorder = createRecorder(store, pino({ enabled: false }), stop.signal, () => nowMs);
  });
  const record = (id: string) => recorder.append(STREAM, fact(id), 600);
  const whenCalled = (count: number) => waitFor(`append ${count}`, () => calls.length >= count);

  it('is not held up while the store answers in time', async () => {
    const recorded = record('a');
    expect(recorder.isHeldUp()).to.equal(false);
    nowMs += 250;
    expect(recorder.isHeldUp()).to.equal(false);
    calls[0]?.answer.resolve(APPENDED);
    await recorded;
    expect(recorder.isHeldUp()).to.equal(false);
  });

  it('is held up as soon as the store is slow, until it has answered', async () => {
    const recorded = record('a');
    nowMs += 251;
    expect(recorder.isHeldUp()).to.equal(true);
    calls[0]?.answer.resolve(APPENDED);
    await recorded;
    expect(recorder.isHeldUp()).to.equal(false);
  });

  it('is held up as soon as the store fails, and repeats what it held, as it was, until the store has it', async () => {
    const recorded = record('a');
    const later = record('b');
    calls[0]?.answer.reject(new StoreUnavailable(new Error('gone')));
    await waitFor('the failure', () => recorder.isHeldUp());
    await whenCalled(2);
    expect(calls[1]?.facts).to.deep.equal([fact('a')]);
    calls[1]?.answer.resolve(APPENDED);
    await recorded;
    await whenCalled(3);
    expect(recorder.isHeldUp()).to.equal(false);
    calls[2]?.answer.resolve(APPENDED);
    await later;
  });

  it('is held up while as many as 256 outcomes wait', async () => {
    const recorded = Array.from({ length: 256 }, (_, n) => record(String(n)));
    expect(recorder.isHeldUp()).to.equal(true);
    calls[0]?.answer.resolve(APPENDED);
    await recorded[0];
    expect(recorder.isHeldUp()).to.equal(false);
    await whenCalled(2);
    calls[1]?.answer.resolve({ revision: 255, position: 0 });
    await Promise.all(recorded);
  });

  it('gives up when it is to stop', async () => {
    const recorded = record('a');
    const reason = new Error('stopping');
    stop.abort(reason);
    calls[0]?.answer.reject(new StoreUnavailable(new Error('gone')));
    expect(await recorded.catch((error: unknown) => error)).to.equal(reason);
  });
});
