import { givenWebhook } from '../../support/given.ts';
import {
  AT_MS,
  CHANNEL_ID,
  HOUR_MS,
  iso,
  signingSecretRotated,
  subscriberKeyRotated,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
  webhookUpdated,
} from '../../support/sample.ts';

const fields = { webhook_url: 'https://subscriber.example/hook', name: 'Billing' };
const update = (changes: object) => ({ type: 'UpdateWebhook', changes }) as const;

describe('webhook', () => {
  it('is created once, also after its end', () => {
    const create = { type: 'CreateWebhook', id: WEBHOOK_ID, channelId: CHANNEL_ID, fields } as const;
    givenWebhook().when(create).then(webhookCreated(fields));
    givenWebhook(webhookCreated()).when(create).thenRefused('webhook-exists');
    givenWebhook(webhookCreated(), WEBHOOK_DELETED).when(create).thenRefused('webhook-exists');
  });

  it('records of an update only what really changes', () => {
    const webhook = givenWebhook(webhookCreated(fields));
    webhook
      .when(update({ ...fields, webhook_url: 'https://new.example/' }))
      .then(webhookUpdated({ webhook_url: 'https://new.example/' }));
    webhook.when(update({ name: null })).then(webhookUpdated({ name: null }));
    webhook.when(update(fields)).then();
  });

  it('counts the versions of its key and its secret up, each on its own', () => {
    const webhook = givenWebhook(webhookCreated(), subscriberKeyRotated(2));
    webhook.when({ type: 'RotateSubscriberKey' }).then(subscriberKeyRotated(3));
    webhook
      .when({ type: 'RotateSigningSecret', atMs: AT_MS })
      .then(signingSecretRotated({ secret_version: 2, previous_until: iso(AT_MS + 24 * HOUR_MS) }));
  });

  it('takes no command before it is created or after its end', () => {
    const commands = [
      update({ name: 'x' }),
      { type: 'RotateSubscriberKey' },
      { type: 'RotateSigningSecret', atMs: AT_MS },
      { type: 'DeleteWebhook' },
    ] as const;
    for (const command of commands) {
      givenWebhook().when(command).thenRefused('webhook-not-found');
      givenWebhook(webhookCreated(), WEBHOOK_DELETED).when(command).thenRefused('webhook-not-found');
    }
  });

  it('ends', () => {
    givenWebhook(webhookCreated()).when({ type: 'DeleteWebhook' }).then(WEBHOOK_DELETED);
  });

  it('is the fold of its facts', () => {
    givenWebhook(
      webhookCreated(fields),
      webhookUpdated({ name: null, webhook_url: 'https://new.example/' }),
      subscriberKeyRotated(2),
      signingSecretRotated({ secret_version: 2, previous_until: iso(AT_MS) }),
    ).thenState({
      status: 'live',
      id: WEBHOOK_ID,
      channel_id: CHANNEL_ID,
      fields: { webhook_url: 'https://new.example/' },
      key_version: 2,
      secret_version: 2,
      previous_secret_until: iso(AT_MS),
    });
  });

  it('stays deleted whatever was appended behind the deletion', () => {
    const deleted = { status: 'deleted', id: WEBHOOK_ID, channel_id: CHANNEL_ID } as const;
    const behind = [webhookUpdated(), subscriberKeyRotated(), signingSecretRotated(), WEBHOOK_DELETED];
    givenWebhook(webhookCreated(), WEBHOOK_DELETED, ...behind).thenState(deleted);
    givenWebhook(webhookUpdated()).thenState({ status: 'none' });
  });
});
