import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { waitFor } from '../../support/wait.ts';
import { type InProcess, startInProcess } from './in-process.ts';

type Gateway = Awaited<ReturnType<InProcess['startGateway']>>;

/**
 * The promise: a key that is rotated out stops with the answer where that was given, and at every other gateway once its read models have it; the new one works at
 * once everywhere.
 */
describe('rotation', () => {
  let parts: InProcess;
  let here: Gateway;
  let there: Gateway;
  let channel: { id: number; publisher_key: string };
  let path: string;
  before(async () => {
    parts = await startInProcess();
    here = await parts.startGateway();
    there = await parts.startGateway();
  });
  after(async () => {
    await here?.stop();
    await there?.stop();
    await parts?.stop();
  });
  beforeEach(async () => {
    channel = await here.newChannel();
    path = `/v1/channels/${channel.id}`;
    await whenSeen(channel.publisher_key);
  });

  const at = (gateway: Gateway, of: string, key: string, how: object = {}) => gateway.call('GET', of, { key, ...how });
  const whenSeen = (key: string) => waitFor('the channel', async () => (await at(there, path, key)).status === 200);
  async function rotate(what: string, key = channel.publisher_key, headers = {}) {
    const { status, body } = await here.call('POST', `${path}${what}`, { key, json: {}, headers });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  it("answers with the channel, its new key in place of the old one, and changes nothing else's key", async () => {
    const hook = await here.newWebhook(channel, 'http://127.0.0.1:9/');
    const before = (await at(here, path, channel.publisher_key)).body;
    const rotated = await rotate('/rotate_key');
    expect(rotated).to.deep.equal({ ...before, publisher_key: rotated.publisher_key });
    expect(rotated.publisher_key)
      .to.match(/^pk_[0-9a-f]{40}$/)
      .and.not.to.equal(channel.publisher_key);
    expect((await at(here, `${path}/webhooks/${hook.id}`, hook.subscriber_key)).body).to.deep.equal(hook);
    expect((await at(here, path, channel.publisher_key)).status).to.equal(403);
    expect((await at(here, path, rotated.publisher_key)).body).to.deep.equal(rotated);
    const next = await rotate('/rotate_key', rotated.publisher_key);
    for (const old of [channel, rotated]) expect((await at(here, path, old.publisher_key)).status).to.equal(403);
    expect((await at(here, path, next.publisher_key)).status).to.equal(200);
  });

  it('ends the old key for every route, publishing first of all', async () => {
    await here.publish(channel);
    await rotate('/rotate_key');
    const request = { key: channel.publisher_key, json: { event_name: 'a' } };
    expect((await here.call('POST', `${path}/events`, request)).status).to.equal(403);
  });

  it("is of one webhook's key, or of its secret, alone", async () => {
    const hook = await here.newWebhook(channel, 'http://127.0.0.1:9/');
    const own = `/webhooks/${hook.id}`;
    const rotated = await rotate(`${own}/rotate_key`);
    expect(rotated).to.deep.equal({ ...hook, subscriber_key: rotated.subscriber_key });
    expect(rotated.subscriber_key).not.to.equal(hook.subscriber_key);
    expect((await at(here, path + own, hook.subscriber_key)).status).to.equal(403);
    const resigned = await rotate(`${own}/rotate_secret`);
    expect(resigned).to.deep.equal({ ...rotated, signing_secret: resigned.signing_secret });
    expect(resigned.signing_secret).not.to.equal(hook.signing_secret);
    expect((await at(here, path + own, rotated.subscriber_key)).body).to.deep.equal(resigned);
  });

  it('shows the old public key behind the new one for as long as it signs along', async () => {
    const hook = await here.newWebhook(channel, 'http://127.0.0.1:9/');
    const keys = async () => {
      const { body } = await at(here, `${path}/webhooks/${hook.id}/public_key`, hook.subscriber_key);
      return body.public_keys;
    };
    const [old, ...none] = await keys();
    expect(none).to.deep.equal([]);
    await rotate(`/webhooks/${hook.id}/rotate_secret`);
    const [next, ...before] = await keys();
    expect(before).to.deep.equal([old]);
    parts.clock.aheadMs = 24 * 3_600_000;
    expect(await keys()).to.deep.equal([next]);
    parts.clock.aheadMs = 0;
  });

  for (const [holder, newKey] of [
    ['a publisher', 'publisher_key'],
    ['a subscriber', 'subscriber_key'],
  ] as const) {
    it(`takes the new key of ${holder} at a gateway that has not read of it yet, as soon as it has, and the old one until then`, async () => {
      const hook = await here.newWebhook(channel, 'http://127.0.0.1:9/');
      await waitFor('the webhook', () => parts.hasWebhook(hook.id));
      const own = newKey === 'publisher_key' ? '' : `/webhooks/${hook.id}`;
      const old = { ...channel, ...hook }[newKey];
      await parts.stopProjector();
      const rotated = await rotate(`${own}/rotate_key`);
      expect((await at(there, path + own, old)).status, 'what it has not read of it cannot know').to.equal(200);
      const asking = at(there, path + own, rotated[newKey]);
      await parts.startProjector();
      expect((await asking).status).to.equal(200);
      expect((await at(there, path + own, old)).status).to.equal(403);
    });
  }

  it('ends the old key at a gateway that took it a moment before, and is never asked with the new one', async () => {
    await rotate('/rotate_key');
    await waitFor('the rotation in the read models', () => parts.keyVersionOf(channel.id) === 2);
    await waitFor('the end of the old key', async () => {
      return (await at(there, path, channel.publisher_key)).status === 403;
    });
  });

  it('happens once for an Idempotency-Key, and is answered again with the same key', async () => {
    const headers = { 'idempotency-key': `once ${channel.id}` };
    const hook = await here.newWebhook(channel, 'http://127.0.0.1:9/');
    for (const what of ['rotate_key', 'rotate_secret']) {
      const first = await rotate(`/webhooks/${hook.id}/${what}`, channel.publisher_key, headers);
      await rotate(`/webhooks/${hook.id}/${what}`);
      expect(await rotate(`/webhooks/${hook.id}/${what}`, channel.publisher_key, headers)).to.deep.equal(first);
    }
    const facts = await parts.store.read(stream.webhook(hook.id));
    expect(facts.map(({ type }) => type)).to.deep.equal([
      ...['WebhookCreated', 'SubscriberKeyRotated', 'SubscriberKeyRotated'],
      ...['SigningSecretRotated', 'SigningSecretRotated'],
    ]);
  });

  it('takes no fields', async () => {
    const wrong = { key: channel.publisher_key, json: { key_version: 7 } };
    expect((await here.call('POST', `${path}/rotate_key`, wrong)).status).to.equal(422);
    expect((await at(here, path, channel.publisher_key)).status).to.equal(200);
  });
});
