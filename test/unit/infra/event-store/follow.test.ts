import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import type { Calls } from '../../../../infra/event-store/calls.ts';
import { StoreUnavailable } from '../../../../infra/event-store/errors.ts';
import { followLog, type LogBatch } from '../../../../infra/event-store/follow.ts';
import type { StoredEvent } from '../../../../infra/event-store/wire/read-response.ts';
import { eventMessage } from '../../../../infra/local/eventstore/wire/read-response.ts';
import { errorOf } from '../../../support/error-of.ts';

const EMPTY = new Uint8Array(0);

describe('event store: following the log', () => {
  let call: PassThrough & { cancel(): void };
  let abort: AbortController;
  let batches: AsyncGenerator<{ facts: readonly number[]; position: number }>;

  beforeEach(() => {
    call = Object.assign(new PassThrough({ objectMode: true, highWaterMark: 20_000 }), { cancel: () => {} });
    abort = new AbortController();
    const calls = { read: async () => call } as unknown as Calls;
    batches = positionsIn(followLog(calls, { after: -1, signal: abort.signal }));
  });

  afterEach(async () => {
    abort.abort();
    await batches.return(undefined);
  });

  it('hands over together what comes turn by turn, up to the first turn that brings nothing', async () => {
    const first = batches.next();
    for (let position = 1; position <= 5; position++) {
      call.write(event(position));
      await nextTurn();
    }
    expect((await first).value).to.deep.equal({ facts: [1, 2, 3, 4, 5], position: 5 });
    call.write(event(6));
    expect((await batches.next()).value).to.deep.equal({ facts: [6], position: 6 });
  });

  it('hands over no more than 512 at a time, though more comes all the time', async () => {
    for (let position = 1; position <= 600; position++) call.write(event(position));
    const { value } = await batches.next();
    expect(value?.facts).to.have.length(512);
    expect(value?.position).to.equal(512);
    expect((await batches.next()).value?.facts).to.have.length(88);
  });

  it('hands over twice as many each time that there were as many, up to 4,096, and 512 again where there were fewer', async () => {
    const sizes: number[] = [];
    let position = 0;
    const take = async (written: number) => {
      for (let i = 0; i < written; i++) call.write(event(++position));
      sizes.push((await batches.next()).value?.facts.length);
    };
    for (const written of [9_000, 0, 0, 0, 4_096, 0, 700, 0]) await take(written);
    expect(sizes).to.deep.equal([512, 1_024, 2_048, 4_096, 4_096, 1_320, 512, 188]);
  });

  it('hands over no more after 8 MiB', async () => {
    const data = new Uint8Array(3 * 1_024 * 1_024);
    for (let position = 1; position <= 4; position++) call.write(event(position, data));
    expect((await batches.next()).value?.facts).to.deep.equal([1, 2, 3]);
    expect((await batches.next()).value?.facts).to.deep.equal([4]);
  });

  it('fails where the subscription ends, after what came before', async () => {
    call.end(event(1));
    expect((await batches.next()).value?.facts).to.deep.equal([1]);
    expect(await errorOf(batches.next())).to.be.instanceOf(StoreUnavailable);
  });
});

async function* positionsIn(batches: AsyncGenerator<LogBatch<StoredEvent>>) {
  for await (const { facts, position } of batches) yield { facts: facts.map((fact) => fact.position), position };
}

function event(position: number, data = EMPTY): Buffer {
  const stream = { id: 1, text: 'events-1', bytes: Buffer.from('events-1') };
  const rest = { id: Buffer.alloc(16, 1), type: 't', json: true, data, metadata: EMPTY };
  return eventMessage({ position, stream, revision: position - 1, createdMs: 0, message: undefined, ...rest });
}
