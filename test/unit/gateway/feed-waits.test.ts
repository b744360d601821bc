import { expect } from 'chai';
import { createFeedWaits } from '../../../services/gateway/feed-waits.ts';
import { Problem } from '../../../services/gateway/problems.ts';

const WEBHOOK = { id: 11, channel_id: 1 };

describe('requests that wait for events', () => {
  const rows = { position: 5, newest: new Map<number, number>(), isDamaged: false };
  let looks = 0;
  let nowMs = 0;
  let waits: ReturnType<typeof createFeedWaits>;
  beforeEach(() => {
    Object.assign(rows, { position: 5, newest: new Map(), isDamaged: false });
    [looks, nowMs] = [0, 0];
    waits = createFeedWaits({
      position: () => {
        if (rows.isDamaged) throw new Error('damaged');
        return rows.position;
      },
      newestIn: (channelId) => {
        looks += 1;
        return rows.newest.get(channelId) ?? -1;
      },
      nowMs: () => nowMs,
    });
  });
  afterEach(() => waits.stop());

  const wait = (webhook = WEBHOOK, after = 5, untilMs = Number.POSITIVE_INFINITY) => {
    const request = {};
    return { request, woken: waits.whenNews(request, { of: webhook, after, untilMs }) };
  };
  const publish = (position: number, channelId = WEBHOOK.channel_id) => {
    rows.position = position;
    rows.newest.set(channelId, position);
  };

  it('are woken by an event of their channel behind their place, and by no other', async () => {
    const woken: string[] = [];
    const note = (name: string, { woken: promise }: { woken: Promise<void> }) => promise.then(() => woken.push(name));
    note('further', wait(WEBHOOK, 8));
    note('of another channel', wait({ id: 12, channel_id: 2 }));
    const { woken: first } = wait();
    publish(7);
    await first;
    expect(woken).to.deep.equal([]);
    waits.stop();
  });

  it('have each channel looked at once, and only where the rows have gone on', async () => {
    const all = Array.from({ length: 9 }, () => wait());
    const other = wait({ id: 12, channel_id: 2 }, 5, 1);
    await new Promise((resolve) => setImmediate(resolve));
    publish(7);
    nowMs = 1;
    await Promise.all([...all, other].map(({ woken }) => woken));
    expect(looks).to.equal(2);
    nowMs = 2;
    const { woken } = wait({ id: 12, channel_id: 2 }, 7, 2);
    await woken;
    expect(looks).to.equal(2);
  });

  it('are woken when their time is up, where the rows cannot be read, and when it stops', async () => {
    nowMs = 10;
    await wait(WEBHOOK, 5, 10).woken;
    rows.isDamaged = true;
    await wait().woken;
    rows.isDamaged = false;
    const { woken } = wait();
    waits.stop();
    await woken;
    await wait().woken;
  });

  it('are refused where too many wait for one webhook, or in all, until some have gone', () => {
    const refusal = (webhook = WEBHOOK) => expect(() => wait(webhook), String(webhook.id)).to.throw(Problem);
    const mine = Array.from({ length: 10 }, () => wait());
    refusal().with.property('code', 'too-many-waiting');
    waits.leave(mine[0]?.request as object);
    wait();
    refusal();
    for (let id = 100; id < 1_090; id++) wait({ id, channel_id: 2 });
    refusal({ id: 5_000, channel_id: 2 });
    waits.leave({});
    refusal({ id: 5_000, channel_id: 2 });
  });
});
