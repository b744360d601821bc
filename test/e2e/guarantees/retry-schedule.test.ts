import { expect } from 'chai';
import { type Api, apiAt, type LogEntry } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: where a deployment has a schedule, what fails is tried again after each of its waits, one after the other, and then no more; all of it anew after a pause. */
describe('a retry schedule', function () {
  this.timeout(60_000);
  const WAITS_MS = [200, 1_500, 400, 400];
  let stack: Stack;
  let receiver: Receiver;
  let api: Api;
  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env: { RETRY_SCHEDULE: '200ms,1500ms,400ms*2' } });
    api = apiAt(stack.url);
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  it('is kept, from the first attempt to the last, and begins anew where the webhook was paused', async () => {
    receiver.reply({ status: 500 });
    const channel = await api.newChannel();
    const webhook = await api.newWebhook(channel, receiver.url());
    const { id } = await api.publish(channel);
    const entryWhere = async (what: string, isThere: (entry: LogEntry | undefined) => boolean) => {
      const [entry] = await waitFor(
        what,
        () => api.log(channel, id),
        ([seen]) => isThere(seen),
      );
      return entry as LogEntry;
    };
    const change = (paused: boolean) =>
      api.call('PUT', `/v1/channels/${channel.id}/webhooks/${webhook.id}`, {
        ...{ key: channel.publisher_key, json: { paused } },
      });

    await entryWhere('two attempts', (entry) => entry?.attempts.length === 2);
    await change(true);
    const paused = await entryWhere('the pause', (entry) => entry?.next_attempt_at === null);
    expect(paused.status).to.equal('pending');
    await change(false);
    const { attempts } = await entryWhere('the end', (entry) => entry?.status === 'failed');
    const isAnew = ({ webhook_revision }: { webhook_revision: number }) => webhook_revision === 2;
    const gapsOf = (of: LogEntry['attempts']) =>
      of.slice(1).map(({ at }, index) => Date.parse(at) - Date.parse(of[index]?.at ?? ''));
    const [old, anew] = [gapsOf(attempts.filter((of) => !isAnew(of))), gapsOf(attempts.filter(isAnew))];
    expect(anew).to.have.length(WAITS_MS.length);
    for (const gaps of [old, anew]) {
      // The schedule, not the clock: an attempt never comes before its time.
      for (const [index, gap] of gaps.entries()) expect(gap).to.be.at.least((WAITS_MS[index] ?? 0) * 0.8);
    }
  });
});
