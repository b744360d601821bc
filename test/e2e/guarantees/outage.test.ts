import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { type Channel, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: without the event store publishing answers 503 with `Retry-After` and reading goes on; without the broker publishing
 * goes on and deliveries catch up. When what was away is back, all resumes by itself. A process that hangs is worse than one that is gone: connections to it stay open.
 */
describe('an outage', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;
  const stopped = new Set<number>();

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack();
    api = apiAt(stack.url);
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/'));
  });
  afterEach(() => resumeAll());
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  it('of the event store: writes are refused for now, reads are answered, and then all goes on', async () => {
    const before = await api.publish(channel);
    await whenAllDelivered(api, channel, [before.id], 1);
    await hang('eventstore');

    const refused = await publish();
    expect(refused.status).to.equal(503);
    expect(Number(refused.headers.get('retry-after'))).to.be.at.least(1);
    expect((await api.log(channel, before.id))[0]).to.include({ status: 'delivered' });
    const readiness = await api.call('GET', '/readyz');
    expect(readiness.status).to.equal(503);
    expect(JSON.stringify(readiness.body)).to.include('eventstore');

    resumeAll();
    const { body } = await waitFor('an accepted event', publish, ({ status }) => status === 201);
    await whenAllDelivered(api, channel, [body.id], 1);
    await waitFor(
      'readiness',
      () => api.call('GET', '/readyz'),
      ({ status }) => status === 200,
    );
  });

  it('of the broker: events are accepted, and delivered once it is back', async () => {
    await hang('nats-server');
    const first = await api.publish(channel);
    // Before anybody has noticed, and has started another broker.
    expect((await api.log(channel, first.id))[0]).to.include({ status: 'pending' });
    const accepted = [first.id];
    for (let i = 1; i < 20; i++) accepted.push((await api.publish(channel)).id);
    resumeAll();
    await whenAllDelivered(api, channel, accepted, 1);
    expect(receiver.missing(accepted, '/')).to.deep.equal([]);
  });

  const publish = () =>
    api.call('POST', `/v1/channels/${channel.id}/events`, { key: channel.publisher_key, json: { event_name: 'x' } });

  async function hang(name: string): Promise<void> {
    const pid = await stack.pidOf(name);
    process.kill(pid, 'SIGSTOP');
    stopped.add(pid);
  }

  function resumeAll(): void {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    stopped.clear();
  }
});
