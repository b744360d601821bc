import { expect } from 'chai';
import type { Api } from '../../support/api.ts';
import { type InProcess, startInProcess } from './in-process.ts';

/**
 * The promise: after a successful write, every later read sees it, however far behind the read models are; and where they stay
 * behind, the read says so instead of answering what is no longer true.
 */
describe('read your writes', () => {
  let parts: InProcess;
  let gateway: Api & { stop(): Promise<void> };
  before(async () => {
    parts = await startInProcess();
    gateway = await parts.startGateway();
  });
  after(async () => {
    await gateway?.stop();
    await parts?.stop();
  });

  /** Each step right behind the one before it. */
  it('holds for every kind of write, many times over', async () => {
    const { call, newChannel, newWebhook, publish } = gateway;
    for (let round = 0; round < 20; round++) {
      const guid = `round-${round}`;
      const channel = await newChannel({ guid });
      const key = channel.publisher_key;
      const get = async (path: string) => (await call('GET', path, { key })).body;
      const own = `/v1/channels/${channel.id}`;
      expect((await get(`/v1/channels/${guid}`)).id).to.equal(channel.id);

      const hook = await newWebhook(channel, 'http://127.0.0.1:9/');
      expect(await get(`${own}/webhooks`)).to.deep.equal([hook]);
      await call('PUT', `${own}/webhooks/${hook.id}`, { key, json: { name: 'new' } });
      expect((await get(`${own}/webhooks/${hook.id}`)).name).to.equal('new');

      const event = await publish(channel);
      expect(await get(`${own}/events/${event.id}`)).to.deep.equal(event);
      const next = await publish(channel);
      expect(await get(`${own}/events`)).to.deep.equal([next, event]);
      expect(await get(`${own}/events/${next.id}/notification_log`)).to.have.length(1);

      await call('DELETE', `${own}/webhooks/${hook.id}`, { key });
      expect((await get(`${own}/webhooks/${hook.id}`)).status).to.equal(404);
      await call('PUT', own, { key, json: { public: true, name: 'open' } });
      expect((await call('GET', `/v1/channels/${guid}`)).body).to.include({ name: 'open' });
      await call('DELETE', own, { key });
      expect((await get(own)).status).to.equal(404);
      expect((await get(`/v1/channels/${guid}`)).status).to.equal(404);
      expect((await call('POST', `${own}/events`, { key, json: { event_name: 'a' } })).status).to.equal(404);
    }
  });

  it('waits for the read models, and goes on as soon as they are there', async () => {
    const channel = await gateway.newChannel({ name: 'before' });
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    await gateway.call('GET', path, { key });
    await parts.stopProjector();
    const put = await gateway.call('PUT', path, { key, json: { name: 'after' } });
    expect(put.body.name).to.equal('after');
    const reading = gateway.call('GET', path, { key });
    await parts.startProjector();
    expect((await reading).body.name).to.equal('after');
  });

  describe('while the read models stand still', () => {
    let channel: { id: number; publisher_key: string };
    let other: { id: number; publisher_key: string };
    before(async () => {
      channel = await gateway.newChannel();
      other = await gateway.newChannel();
      for (const { id, publisher_key: key } of [channel, other])
        await gateway.call('GET', `/v1/channels/${id}`, { key });
      await parts.stopProjector();
    });
    after(() => parts.startProjector());

    /** The clock that waiting goes by runs ahead, so that nobody waits here. */
    const impatiently = async (act: () => Promise<unknown>) => {
      const acting = act();
      const hurry = setInterval(() => {
        parts.clock.patienceMs += 1_000;
      }, 5);
      await acting.finally(() => clearInterval(hurry));
    };

    it('a publish is accepted all the same, and the next one too', async () => {
      for (let n = 0; n < 3; n++) await gateway.publish(channel);
    });

    it('what nobody changed is read at once', async () => {
      const { status } = await gateway.call('GET', `/v1/channels/${other.id}`, { key: other.publisher_key });
      expect(status).to.equal(200);
    });

    it('reads of what was changed answer 503, naming the lag', async () => {
      await gateway.publish(channel);
      await impatiently(async () => {
        const path = `/v1/channels/${channel.id}/events`;
        const { status, headers, body } = await gateway.call('GET', path, { key: channel.publisher_key });
        expect(status).to.equal(503);
        expect(headers.get('retry-after')).to.equal('1');
        expect(body.type).to.equal('/docs/errors#read-models-behind');
        expect(body.detail).to.match(/position \d+ .* \d+/);
      });
    });

    it('/readyz says so too', async () => {
      await impatiently(async () => {
        const { status, body } = await gateway.call('GET', '/readyz');
        expect(status).to.equal(503);
        expect(body.detail).to.match(/^read-models: /);
      });
    });
  });
});
