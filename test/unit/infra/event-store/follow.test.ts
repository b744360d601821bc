import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import type { Calls } from '../../../../infra/event-store/calls.ts';
import { StoreUnavailable } from '../../../../infra/event-store/errors.ts';
import { followLog } from '../../../../infra/event-store/follow.ts';
import { eventMessage } from '../../../../infra/local/eventstore/wire/read-response.ts';
import { errorOf } from '../../../support/error-of.ts';

const EMPTY = new Uint8Array(0);

describe('event store: following the log', () => {
  let call: PassThrough & { cancel(): void };
  let abort: AbortController;
  let batches: AsyncGenerator<{ facts: readonly number[]; position: number }>;

  beforeEach(() => {
    call = Object.assign(new PassThrough({ objectMode: true, highWaterMark: 2_000 }), { cancel: () => {} });
    abort = new AbortController();
    const calls = { read: async () => call } as unknown as Calls;
    batches = followLog(calls, { after: -1, signal: abort.signal }, ({ position }) => position);
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

  it('fails where the subscription ends, after what came before', async () => {
    call.end(event(1));
    expect((await batches.next()).value?.facts).to.deep.equal([1]);
    expect(await errorOf(batches.next())).to.be.instanceOf(StoreUnavailable);
  });
});

function event(position: number): Buffer {
  const stream = { id: 1, text: 'events-1', bytes: Buffer.from('events-1') };
  const rest = { id: Buffer.alloc(16, 1), type: 't', json: true, data: EMPTY, metadata: EMPTY };
  return eventMessage({ position, stream, revision: position - 1, createdMs: 0, message: undefined, ...rest });
}
