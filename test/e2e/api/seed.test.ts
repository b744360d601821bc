import { expect } from 'chai';
import { useStack } from './support.ts';

/** Every request of the API as it was asked for, with its very fields; only ids and keys are this stack's. */
describe('the seed API', () => {
  const { curl, send, newChannel } = useStack();
  let guids = 0;

  const channelFields = (guid: string) => [
    'name=my first channel',
    'description=my optional channel description',
    `guid=${guid}`,
    'email=someone@example.com',
    'public=false',
  ];
  const webhookFields = ['name=subscriber name', 'webhook_url=http://subcriber.com/webhook_url'];

  async function seedChannel() {
    guids += 1;
    const { body } = await curl('POST', '/v1/channels', channelFields(`optional-unique-uid-${guids}`));
    return body;
  }
  async function seedWebhook() {
    const channel = await newChannel();
    const path = `/v1/channels/${channel.id}/webhooks`;
    const { body: webhook } = await curl('POST', path, webhookFields, channel.publisher_key);
    return { channel, path, webhook };
  }

  it('POST /v1/channels', async () => {
    const { status, headers, body } = await curl('POST', '/v1/channels', channelFields('optional-unique-uid'));
    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal(`/v1/channels/${body.id}`);
    expect(Object.keys(body)).to.deep.equal(['id', 'name', 'description', 'guid', 'email', 'public', 'publisher_key']);
    expect(body).to.deep.include({
      name: 'my first channel',
      description: 'my optional channel description',
      guid: 'optional-unique-uid',
      email: 'someone@example.com',
      public: false,
    });
    expect(Number.isSafeInteger(body.id)).to.equal(true);
    expect(body.publisher_key).to.match(/^pk_[0-9a-f]{40}$/);
  });

  it('GET /v1/channels/{GUID_OR_ID}', async () => {
    const channel = await seedChannel();
    for (const guidOrId of [channel.id, channel.guid]) {
      const { status, body } = await send('GET', `/v1/channels/${guidOrId}`, { key: channel.publisher_key });
      expect(status).to.equal(200);
      expect(body).to.deep.equal(channel);
    }
  });

  it('PUT /v1/channels/{GUID_OR_ID}', async () => {
    const channel = await seedChannel();
    for (const guidOrId of [channel.id, channel.guid]) {
      const path = `/v1/channels/${guidOrId}`;
      const { status, body } = await curl('PUT', path, ['name=my new name'], channel.publisher_key);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ ...channel, name: 'my new name' });
    }
  });

  it('DELETE /v1/channels/{GUID_OR_ID}', async () => {
    for (const identify of ['id', 'guid']) {
      const channel = await seedChannel();
      const path = `/v1/channels/${channel[identify]}`;
      const { status, body } = await send('DELETE', path, { key: channel.publisher_key });
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ response: 'ok' });
      expect((await send('DELETE', path, { key: channel.publisher_key })).status).to.equal(404);
    }
  });

  it('POST /v1/channels/{ID}/webhooks', async () => {
    const { id, publisher_key } = await seedChannel();
    const { status, headers, body } = await curl('POST', `/v1/channels/${id}/webhooks`, webhookFields, publisher_key);
    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal(`/v1/channels/${id}/webhooks/${body.id}`);
    expect(Object.keys(body)).to.deep.equal([
      'id',
      'name',
      'webhook_url',
      'subscriber_key',
      'signing_secret',
      'paused',
      'failing_since',
    ]);
    expect(body).to.deep.include({ name: 'subscriber name', webhook_url: 'http://subcriber.com/webhook_url' });
    expect(body.subscriber_key).to.match(/^sk_[0-9a-f]{40}$/);
    expect(body.signing_secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });

  it('GET /v1/channels/{ID}/webhooks', async () => {
    const { channel, path, webhook } = await seedWebhook();
    const { status, body } = await send('GET', path, { key: channel.publisher_key });
    expect(status).to.equal(200);
    expect(body).to.deep.equal([webhook]);
  });

  it('GET /v1/channels/{ID}/webhooks/{WEBHOOK_ID} with either key', async () => {
    const { channel, path, webhook } = await seedWebhook();
    for (const key of [channel.publisher_key, webhook.subscriber_key]) {
      const { status, body } = await send('GET', `${path}/${webhook.id}`, { key });
      expect(status).to.equal(200);
      expect(body).to.deep.equal(webhook);
    }
  });

  it('PUT /v1/channels/{ID}/webhooks/{WEBHOOK_ID} with either key', async () => {
    const { channel, path, webhook } = await seedWebhook();
    const fields = ['webhook_url=http://subcriber.com/new_webhook_url'];
    for (const key of [channel.publisher_key, webhook.subscriber_key]) {
      const { status, body } = await curl('PUT', `${path}/${webhook.id}`, fields, key);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ ...webhook, webhook_url: 'http://subcriber.com/new_webhook_url' });
    }
  });

  for (const holder of ['publisher', 'subscriber']) {
    it(`DELETE /v1/channels/{ID}/webhooks/{WEBHOOK_ID} with the ${holder}'s key`, async () => {
      const { channel, path, webhook } = await seedWebhook();
      const key = holder === 'publisher' ? channel.publisher_key : webhook.subscriber_key;
      const { status, body } = await send('DELETE', `${path}/${webhook.id}`, { key });
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ response: 'ok' });
      expect((await send('DELETE', `${path}/${webhook.id}`, { key })).status).to.equal(404);
      expect((await send('GET', path, { key: channel.publisher_key })).body).to.deep.equal([]);
    });
  }

  it('POST /v1/channels/{ID}/events', async () => {
    const { id, publisher_key } = await newChannel();
    const fields = [
      'event_name=request.created',
      'ext_ref_code=optional-reference-code-2396',
      'event_url=http://publisher.com/optional_event_url_for_event_2396',
      'data[any_data]=you-want-to-publish',
      'data[example_request_id]=123',
      'data[created_at]=1354649392',
    ];
    const { status, headers, body } = await curl('POST', `/v1/channels/${id}/events`, fields, publisher_key);
    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal(`/v1/channels/${id}/events/${body.id}`);
    expect(Object.keys(body)[0]).to.equal('id');
    expect(body).to.deep.include({
      event_name: 'request.created',
      ext_ref_code: 'optional-reference-code-2396',
      event_url: 'http://publisher.com/optional_event_url_for_event_2396',
      data: { any_data: 'you-want-to-publish', example_request_id: '123', created_at: 1_354_649_392 },
    });
    expect(new Date(body.published_at).toISOString()).to.equal(body.published_at);
  });

  it('GET /v1/channels/{ID}/events/{EVENT_ID}/notification_log', async () => {
    const { id, publisher_key: key } = await newChannel();
    // Nobody listens there: no test posts to strangers.
    const { body: webhook } = await curl(
      'POST',
      `/v1/channels/${id}/webhooks`,
      ['webhook_url=http://127.0.0.1:9/'],
      key,
    );
    const { body: event } = await curl('POST', `/v1/channels/${id}/events`, ['event_name=request.created'], key);
    const { status, body } = await send('GET', `/v1/channels/${id}/events/${event.id}/notification_log`, { key });
    expect(status).to.equal(200);
    expect(body).to.have.length(1);
    expect(body[0]).to.include({ webhook_id: webhook.id, webhook_url: webhook.webhook_url });
    expect(body[0]).to.have.all.keys('webhook_id', 'webhook_url', 'status', 'next_attempt_at', 'attempts');
  });
});
