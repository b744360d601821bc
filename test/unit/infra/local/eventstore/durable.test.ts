import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Alarm } from '../../../../../infra/local/eventstore/store/alarms.ts';
import {
  AllBackward,
  AllForward,
  type Cursor,
  lastPlace,
  StreamBackward,
  StreamForward,
} from '../../../../../infra/local/eventstore/store/cursors.ts';
import type { Disk } from '../../../../../infra/local/eventstore/store/disk.ts';
import { resolveLink } from '../../../../../infra/local/eventstore/store/links.ts';
import { openStore, type Store } from '../../../../../infra/local/eventstore/store/store.ts';
import { isMissing } from '../../../../../infra/local/eventstore/store/visibility.ts';
import type { Writes } from '../../../../../infra/local/eventstore/store/writes.ts';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('eventstore: what is committed and not on disk yet', () => {
  let dataDir: string;
  let disk: StubDisk;
  let store: Store;
  let unusable: Error[];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'webhooks-durable-'));
    disk = new StubDisk();
    unusable = [];
    store = openStore(
      dataDir,
      (error) => unusable.push(error),
      () => disk,
    );
    // Of the store's first event, which waited for the disk.
    disk.finish();
  });

  afterEach(() => {
    store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is not acknowledged before the disk has it', async () => {
    const append = write(store, appendTo('a'));
    await disk.whenAsked();
    expect(append.outcome).to.equal('none');
    disk.finish();
    expect(append.outcome).to.equal('done');
  });

  it('is in no page of $all, and wakes nobody', async () => {
    const end = lastPlace(store, undefined);
    const forward = new AllForward(store, end);
    const alarm = new Alarm();
    store.alarms.add(undefined, alarm);
    let woken = 0;
    void alarm.whenRung().then(() => (woken += 1));
    write(store, appendTo('a'));
    await disk.whenAsked();
    expect(lastPlace(store, undefined)).to.equal(end);
    expect(forward.next()).to.deep.equal({ events: [], done: true });
    expect(new AllBackward(store, Infinity).next().events.map(({ position }) => position)).to.deep.equal([end]);
    expect(woken).to.equal(0);
    disk.finish();
    await nextTurn();
    expect(woken).to.equal(1);
    expect(forward.next().events.map(({ stream }) => stream.text)).to.deep.equal(['a']);
    expect(new AllBackward(store, Infinity).next().events[0]?.position).to.equal(end + 1);
  });

  it('is in no page of its stream, which is missing until then', async () => {
    write(store, appendTo('a'));
    await disk.whenAsked();
    expect(isMissing(store.headOf('a'))).to.equal(true);
    expect(texts(new StreamForward(store, 'a', 0))).to.deep.equal([]);
    disk.finish();
    expect(isMissing(store.headOf('a'))).to.equal(false);
    write(store, appendTo('a', 'second'));
    await disk.whenAsked();
    expect(texts(new StreamForward(store, 'a', 0))).to.deep.equal(['first']);
    expect(texts(new StreamBackward(store, 'a', lastPlace(store, 'a')))).to.deep.equal(['first']);
    disk.finish();
    expect(texts(new StreamForward(store, 'a', 0))).to.deep.equal(['first', 'second']);
  });

  it('is not what a link leads to', async () => {
    write(store, appendTo('a'));
    await disk.whenAsked();
    disk.finish();
    const link = { ...(new StreamForward(store, 'a', 0).next().events[0] as never as object), type: '$>' };
    const to = (text: string) => resolveLink(store, { ...link, data: Buffer.from(text) } as never);
    write(store, appendTo('a', 'second'));
    await disk.whenAsked();
    expect(to('0@a')?.revision).to.equal(0);
    expect(to('1@a')).to.equal(undefined);
    disk.finish();
    expect(to('1@a')?.revision).to.equal(1);
  });

  for (const [name, change, isSeen] of [
    ['a deletion', (writes) => writes.softDelete('a', 'any'), () => store.headOf('a').retention.deleted],
    ['a tombstone', (writes) => writes.tombstone('a', 'any'), () => store.headOf('a').tombstoned],
    [
      "a tombstone, for the stream's metadata",
      (writes) => writes.tombstone('a', 'any'),
      () => store.headOf('$$a').tombstoned,
    ],
    [
      'metadata',
      (writes) => writes.append('$$a', 'any', [proposed('{"$maxCount":7}')]),
      () => store.headOf('a').retention.maxCount === 7,
    ],
  ] satisfies [string, (writes: Writes) => unknown, () => boolean][]) {
    it(`hides ${name}`, async () => {
      write(store, appendTo('a'));
      await disk.whenAsked();
      disk.finish();
      write(store, change);
      await disk.whenAsked();
      expect(isSeen()).to.equal(false);
      disk.finish();
      expect(isSeen()).to.equal(true);
    });
  }

  it('holds up what comes meanwhile, which then goes as one', async () => {
    const first = write(store, appendTo('a'));
    await disk.whenAsked();
    const others = ['b', 'c', 'd'].map((stream) => write(store, appendTo(stream)));
    await nextTurn();
    await nextTurn();
    expect(store.log.last).to.equal(store.log.durable + 1);
    disk.finish();
    expect(first.outcome).to.equal('done');
    await disk.whenAsked();
    expect(others.map(({ outcome }) => outcome)).to.deep.equal(['none', 'none', 'none']);
    disk.finish();
    expect(others.map(({ outcome }) => outcome)).to.deep.equal(['done', 'done', 'done']);
  });

  it('is what a refusal may rest on, which then waits for it too', async () => {
    write(store, appendTo('a'));
    await disk.whenAsked();
    const refused = write(store, (writes) => writes.append('a', 'no_stream', [proposed('other')]));
    await nextTurn();
    await nextTurn();
    expect(refused.outcome).to.equal('none');
    disk.finish();
    await nextTurn();
    expect(refused.result).to.include({ kind: 'wrong-revision' });
    expect(disk.isAsked).to.equal(false);
  });

  it('is there, and answered once, where somebody waits for the disk', async () => {
    const append = write(store, appendTo('a'));
    await disk.whenAsked();
    store.flush();
    expect(append).to.include({ outcome: 'done', answers: 1 });
    expect(texts(new StreamForward(store, 'a', 0))).to.deep.equal(['first']);
    disk.finish();
    expect(append.answers).to.equal(1);
  });

  it('fails where the disk does, and nothing is written from then on', async () => {
    const append = write(store, appendTo('a'));
    await disk.whenAsked();
    const waiting = write(store, appendTo('b'));
    disk.finish(new Error('EIO'));
    expect(append.outcome).to.equal('failed');
    expect(unusable).to.have.length(1);
    expect(unusable[0]?.message).to.match(/may have lost what was written last: EIO$/);
    expect(isMissing(store.headOf('a'))).to.equal(true);
    await nextTurn();
    expect(waiting.outcome).to.equal('failed');
    const later = write(store, appendTo('c'));
    await nextTurn();
    expect(later.outcome).to.equal('failed');
  });

  it('is taken back with a transaction that fails, the flushed before it is not', async () => {
    write(store, appendTo('a'));
    await disk.whenAsked();
    disk.finish();
    const failing = write(store, (writes) => {
      writes.append('a', 'any', [proposed('second')]);
      throw new Error('no');
    });
    await nextTurn();
    expect(failing.outcome).to.equal('failed');
    expect(store.log.last).to.equal(store.log.durable);
    expect(texts(new StreamForward(store, 'a', 0))).to.deep.equal(['first']);
    const next = write(store, appendTo('a', 'third'));
    await disk.whenAsked();
    disk.finish();
    expect(next.outcome).to.equal('done');
    expect(texts(new StreamForward(store, 'a', 0))).to.deep.equal(['first', 'third']);
  });
});

/** A disk that flushes when the test says so. */
class StubDisk implements Disk {
  #done: ((error: Error | undefined) => void) | undefined;
  #asked = () => {};

  get isAsked(): boolean {
    return this.#done !== undefined;
  }

  flush(done: (error: Error | undefined) => void): void {
    this.#done = done;
    this.#asked();
  }

  flushNow(): undefined {}

  close(): void {}

  async whenAsked(): Promise<void> {
    if (this.isAsked) return;
    await new Promise<void>((resolve) => {
      this.#asked = resolve;
    });
  }

  finish(error?: Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }
}

function write(store: Store, run: (writes: Writes) => unknown) {
  const written = { outcome: 'none' as 'none' | 'done' | 'failed', answers: 0, result: undefined as unknown };
  const answered = (outcome: 'done' | 'failed', result: unknown) => {
    Object.assign(written, { outcome, result, answers: written.answers + 1 });
  };
  store.write({ run, done: (result) => answered('done', result), fail: (error) => answered('failed', error) });
  return written;
}

const proposed = (text: string) => {
  const id = Buffer.alloc(16);
  id.write(text.slice(0, 16));
  return { id, type: 't', json: true, data: Buffer.from(text), metadata: new Uint8Array(0) };
};

const appendTo =
  (stream: string, text = 'first') =>
  (writes: Writes) =>
    writes.append(stream, 'any', [proposed(text)]);

const texts = (cursor: Cursor) => cursor.next().events.map(({ data }) => Buffer.from(data).toString());
