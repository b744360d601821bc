import { expect } from 'chai';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK, type Webhook } from '../../../domain/webhook.ts';
import { givenWebhook } from '../../support/given.ts';
import {
  AT_MS,
  CHANNEL_ID,
  HOUR_MS,
  iso,
  MADE_WITH,
  signingSecretRotated,
  subscriberKeyRotated,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  WEBHOOK_PAUSED,
  webhookCreated,
  webhookResumed,
  webhookUpdated,
} from '../../support/sample.ts';

const fields = { webhook_url: 'https://subscriber.example/hook', name: 'Billing' };
const update = (changes: object) => ({ type: 'UpdateWebhook', changes, atMs: AT_MS }) as const;

describe('webhook', () => {
  it('is created once, also after its end', () => {
    const create = {
      type: 'CreateWebhook',
      id: WEBHOOK_ID,
      channelId: CHANNEL_ID,
      fields,
      madeWith: MADE_WITH,
    } as const;
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

  it('is paused and resumed once each, beside what else changes', () => {
    const webhook = givenWebhook(webhookCreated(fields));
    const paused = givenWebhook(webhookCreated(fields), WEBHOOK_PAUSED);
    webhook.when({ ...update({ name: null }), paused: true }).then(webhookUpdated({ name: null }), WEBHOOK_PAUSED);
    webhook.when({ ...update({}), paused: false }).then();
    paused.when({ ...update({}), paused: true }).then();
    paused.when({ ...update({}), paused: false }).then(webhookResumed(AT_MS));
    paused.when(update({ name: null })).then(webhookUpdated({ name: null }));
  });

  it('may be paused from its creation on', () => {
    const create = {
      type: 'CreateWebhook',
      id: WEBHOOK_ID,
      channelId: CHANNEL_ID,
      fields,
      madeWith: MADE_WITH,
    } as const;
    const created = webhookCreated(fields);
    const isPaused = { ...created, data: { ...created.data, paused: true } } as const;
    givenWebhook()
      .when({ ...create, paused: true })
      .then(isPaused);
    givenWebhook()
      .when({ ...create, paused: false })
      .then(created);
    givenWebhook(isPaused)
      .when({ ...update({}), paused: false })
      .then(webhookResumed(AT_MS));
  });

  it('is paused where it has failed for so long since it was last resumed, and is not paused already', () => {
    const failing = (hours: number, since = AT_MS) =>
      ({
        type: 'PauseFailing',
        failingSince: iso(since),
        atMs: since + hours * HOUR_MS,
        afterMs: 3 * HOUR_MS,
      }) as const;
    const paused = (since = AT_MS) =>
      ({ type: 'WebhookPaused', data: { reason: 'failing', failing_since: iso(since) } }) as const;
    const webhook = givenWebhook(webhookCreated());
    webhook.when(failing(3)).then(paused());
    webhook.when(failing(2.9)).then();
    givenWebhook(webhookCreated(), paused()).when(failing(4)).then();
    givenWebhook(webhookCreated(), WEBHOOK_PAUSED).when(failing(4)).then();
    const resumed = givenWebhook(webhookCreated(), paused(), webhookResumed(AT_MS + 10 * HOUR_MS));
    resumed.when(failing(12.9)).then();
    resumed.when(failing(13)).then(paused());
    resumed.when(failing(3, AT_MS + 20 * HOUR_MS)).then(paused(AT_MS + 20 * HOUR_MS));
  });

  it('counts the versions of its key and its secret up, each on its own', () => {
    const webhook = givenWebhook(webhookCreated(), subscriberKeyRotated(2));
    webhook.when({ type: 'RotateSubscriberKey', madeWith: MADE_WITH }).then(subscriberKeyRotated(3));
    webhook
      .when({ type: 'RotateSigningSecret', atMs: AT_MS, madeWith: MADE_WITH })
      .then(signingSecretRotated({ secret_version: 2, previous_until: iso(AT_MS + 24 * HOUR_MS) }));
  });

  it('lets each old secret sign along for its own 24 hours, and of no more than four', () => {
    const rotated = (version: number, atMs: number) =>
      signingSecretRotated({ secret_version: version, previous_until: iso(atMs + 24 * HOUR_MS) });
    const secrets = (...rotations: [version: number, atMs: number][]) => {
      const facts = [webhookCreated(), ...rotations.map((rotation) => rotated(...rotation))];
      const webhook = facts.reduce<Webhook>(evolveWebhook, NO_WEBHOOK) as LiveWebhook;
      return [webhook.secret.version, ...webhook.previous_secrets.map(({ version }) => version)];
    };
    expect(secrets()).to.deep.equal([1]);
    expect(secrets([2, 0], [3, HOUR_MS])).to.deep.equal([3, 2, 1]);
    expect(secrets([2, 0], [3, 24 * HOUR_MS - 1])).to.deep.equal([3, 2, 1]);
    expect(secrets([2, 0], [3, 24 * HOUR_MS])).to.deep.equal([3, 2]);
    expect(secrets([2, 0], [3, 1], [4, 2], [5, 3], [6, 4])).to.deep.equal([6, 5, 4, 3, 2]);
  });

  it('reads facts of before they named a master secret', () => {
    const { made_with: _, ...data } = webhookCreated().data;
    givenWebhook({ type: 'WebhookCreated', data }).thenState({
      ...{ status: 'live', ...data, pause: null, resumed_at: null, key_version: 1, key_made_with: null },
      ...{ secret: { version: 1, made_with: null }, previous_secrets: [] },
    });
  });

  it('takes no command before it is created or after its end', () => {
    const commands = [
      update({ name: 'x' }),
      { type: 'RotateSubscriberKey', madeWith: MADE_WITH },
      { type: 'RotateSigningSecret', atMs: AT_MS, madeWith: MADE_WITH },
      { type: 'PauseFailing', failingSince: iso(AT_MS), atMs: AT_MS, afterMs: 0 },
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
      pause: null,
      resumed_at: null,
      key_version: 2,
      key_made_with: MADE_WITH,
      secret: { version: 2, made_with: MADE_WITH },
      previous_secrets: [{ version: 1, made_with: MADE_WITH, until: iso(AT_MS) }],
    });
  });

  it('stays deleted whatever was appended behind the deletion', () => {
    const deleted = { status: 'deleted', id: WEBHOOK_ID, channel_id: CHANNEL_ID } as const;
    const behind = [webhookUpdated(), subscriberKeyRotated(), signingSecretRotated(), WEBHOOK_DELETED];
    givenWebhook(webhookCreated(), WEBHOOK_DELETED, ...behind).thenState(deleted);
    givenWebhook(webhookUpdated()).thenState({ status: 'none' });
  });
});
