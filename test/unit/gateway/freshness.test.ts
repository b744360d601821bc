import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { LiveChannel } from '../../../domain/channel.ts';
import { stream } from '../../../domain/facts.ts';
import type { ChannelQueries } from '../../../projections/channels.ts';
import { createProgress } from '../../../projections/progress.ts';
import { createFreshness } from '../../../services/gateway/freshness.ts';
import { createLiveChannels } from '../../../services/gateway/live-channels.ts';
import { Problem } from '../../../services/gateway/problems.ts';

let nowMs = 0;

function isWaiting(read: Promise<void> | undefined): boolean {
  read?.catch(() => {});
  return read !== undefined;
}

/** Read models that stand where the test puts them. */
function standing(head = -1) {
  let position = -1;
  return {
    progress: createProgress(
      () => position,
      head,
      () => nowMs,
    ),
    reach(to: number) {
      position = to;
    },
  };
}

describe('read your writes', () => {
  // Nobody waits on once a test is over.
  afterEach(() => {
    nowMs += 10_000;
  });

  it('does not wait for what nobody wrote', () => {
    const { progress } = standing();
    const freshness = createFreshness(progress);
    freshness.wrote('channel-1', 7);
    expect(freshness.whenRead('channel-2')).to.equal(undefined);
  });

  it('waits for what was written, and then never again', async () => {
    const { progress, reach } = standing();
    const freshness = createFreshness(progress);
    freshness.wrote('channel-1', 7);
    let isThere = false;
    const read = freshness.whenRead('channel-1')?.then(() => {
      isThere = true;
    });
    reach(6);
    await delay(10);
    expect(isThere).to.equal(false);
    reach(7);
    await read;
    expect(freshness.whenRead('channel-1')).to.equal(undefined);
    expect(freshness.whenAllRead()).to.equal(undefined);
  });

  it('takes an earlier position for no step back', () => {
    const freshness = createFreshness(standing().progress);
    freshness.wrote('channel-1', 7);
    freshness.wrote('channel-1', 3);
    expect(isWaiting(freshness.whenRead('channel-1'))).to.equal(true);
  });

  it('waits for all of it where all is asked for', async () => {
    const { progress, reach } = standing();
    const freshness = createFreshness(progress);
    freshness.wrote('channel-1', 7);
    freshness.wrote('channel-2', 9);
    const all = freshness.whenAllRead();
    reach(9);
    await all;
    expect(freshness.whenRead('channel-1')).to.equal(undefined);
  });

  it('names the lag where it takes too long', async () => {
    const { progress } = standing();
    const freshness = createFreshness(progress);
    freshness.wrote('channel-1', 7);
    const read = freshness.whenRead('channel-1')?.catch((error) => error);
    nowMs += 10_000;
    expect(await read)
      .to.be.instanceOf(Problem)
      .with.property('code', 'read-models-behind');
    expect((await read)?.message).to.match(/-1 .* 7/);
  });

  it('waits for what the log held before this gateway started', async () => {
    const { progress, reach } = standing(4);
    const freshness = createFreshness(progress);
    const read = freshness.whenRead('channel-1');
    expect(isWaiting(read)).to.equal(true);
    reach(4);
    await read;
    expect(freshness.whenRead('channel-1')).to.equal(undefined);
  });

  it('remembers so many writes, and from then on lets everybody wait for all of them', () => {
    const freshness = createFreshness(standing().progress);
    for (let n = 0; n <= 10_000; n++) freshness.wrote(`channel-${n}`, n);
    expect(isWaiting(freshness.whenRead('channel-1'))).to.equal(true);
    expect(isWaiting(freshness.whenRead('channel-that-nobody-wrote'))).to.equal(true);
  });
});

describe('live channels', () => {
  const channel = (name: string): LiveChannel => ({
    status: 'live',
    id: 1,
    fields: { name, public: false },
    key_version: 1,
    key_made_with: null,
  });

  function rows() {
    let reads = 0;
    let row: LiveChannel | undefined = channel('first');
    const { progress, reach } = standing();
    const freshness = createFreshness(progress);
    const queries = {
      byId: () => {
        reads += 1;
        return row;
      },
      byGuid: () => row,
    } as unknown as ChannelQueries;
    const channels = createLiveChannels(queries, freshness);
    return {
      channels,
      progress,
      freshness,
      reach,
      reads: () => reads,
      become: (next: LiveChannel | undefined) => {
        row = next;
      },
    };
  }

  it('are read once for many publishes', async () => {
    const { channels, reads } = rows();
    await Promise.all([channels.byId(1), channels.byId(1)]);
    await channels.byId(1);
    expect(reads()).to.be.lessThan(3);
  });

  it('are read again, and not too early, once this gateway has changed them', async () => {
    const { channels, reach, become } = rows();
    expect((await channels.byId(1))?.fields.name).to.equal('first');
    channels.changed(1, 5);
    const read = channels.byId(1);
    become(channel('second'));
    reach(5);
    expect((await read)?.fields.name).to.equal('second');
  });

  it('are not kept as they were before a change that fell into their reading', async () => {
    const { channels, progress, freshness, reach, become } = rows();
    freshness.wrote(stream.channel(1), 3);
    const early = channels.byId(1);
    const change = progress.whenProcessed(3, 1_000).then(() => channels.changed(1, 5));
    reach(3);
    await change;
    await delay(1);
    become(undefined);
    reach(5);
    await early;
    expect(await channels.byId(1)).to.equal(undefined);
  });

  it('that do not exist are not kept as such', async () => {
    const { channels, become } = rows();
    become(undefined);
    expect(await channels.byId(1)).to.equal(undefined);
    become(channel('made elsewhere'));
    expect((await channels.byId(1))?.fields.name).to.equal('made elsewhere');
  });
});
