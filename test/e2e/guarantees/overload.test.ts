import { expect } from 'chai';
import { type Answered, type Api, apiAt } from '../../support/api.ts';
import { type Channel, whenAllDelivered } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: where more is published than can be delivered, publications wait and are then refused, with 503 and `Retry-After`, before anything falls over.
 * What was accepted is delivered, everything else is answered as ever, and publishing goes on afterwards.
 */
describe('an overload', function () {
  this.timeout(120_000);
  /** Each event is so many deliveries: however fast the machine is, more can be accepted than delivered. */
  const WEBHOOKS = 10;
  /** More than may wait at a time. */
  const PUBLISHERS = 300;
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env: { PUBLISH_LAG_LIMIT: '200ms' } });
    api = apiAt(stack.url);
    channel = await api.newChannel();
    for (let n = 0; n < WEBHOOKS; n++) await api.newWebhook(channel, receiver.url(`/${n}`));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  it('is refused for now, and what was accepted is delivered', async () => {
    const processes = await stack.processes();
    const accepted: number[] = [];
    const refused: Answered[] = [];
    const publisher = async () => {
      while (refused.length === 0) {
        const answer = await publish();
        if (answer.status === 201) accepted.push(answer.body.id);
        else refused.push(answer);
      }
    };
    const publishing = Promise.all(Array.from({ length: PUBLISHERS }, publisher));
    await waitFor('a refusal', () => refused.length > 0);
    expect((await api.call('GET', `/v1/channels/${channel.id}`, { key: channel.publisher_key })).status).to.equal(200);
    expect((await api.call('GET', '/healthz')).status).to.equal(200);
    await publishing;
    for (const { status, headers, body } of refused) {
      expect(status).to.equal(503);
      expect(body.type).to.equal('/docs/errors#overloaded');
      expect(Number(headers.get('retry-after'))).to.be.within(1, 60);
    }

    await whenAllDelivered(api, channel, accepted, WEBHOOKS);
    const { body } = await waitFor('an accepted event', publish, ({ status }) => status === 201);
    await whenAllDelivered(api, channel, [body.id], WEBHOOKS);
    expect(await stack.processes()).to.deep.equal(processes);
    const lines = stack.output().split('\n');
    expect(lines.filter((line) => line.includes('"msg":"overload: ')).length)
      .to.be.at.least(1)
      .and.at.most(3);
  });

  const publish = () =>
    api.call('POST', `/v1/channels/${channel.id}/events`, { key: channel.publisher_key, json: { event_name: 'x' } });
});
