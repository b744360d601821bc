import { expect } from 'chai';
import type { ChannelFact } from '../../../domain/channel.ts';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { changeOf, factsUntil } from '../../../domain/history.ts';
import type { WebhookFact } from '../../../domain/webhook.ts';
import {
  AT_MS,
  CHANNEL_DELETED,
  channelCreated,
  channelUpdated,
  iso,
  publisherKeyRotated,
  recorded,
  signingSecretRotated,
  subscriberKeyRotated,
  WEBHOOK_DELETED,
  webhookCreated,
  webhookUpdated,
} from '../../support/sample.ts';

const SEALED = { made_with: '0123456789ab', sealed: 'c2VhbGVk' };

/** The changes that the history shows of facts of one stream. */
function changesOf(name: string, ...facts: (ChannelFact | WebhookFact)[]) {
  const log = recorded(...facts.map((fact) => [name, fact] as const));
  return log.map((fact) => changeOf(fact as RecordedFact<ChannelFact | WebhookFact>));
}

describe('the history', () => {
  it('says what each fact of a channel changed', () => {
    const history = changesOf(
      stream.channel(1),
      channelCreated({ email: 'a@example.com' }),
      channelUpdated({ name: 'Renamed', email: null }),
      publisherKeyRotated(),
      CHANNEL_DELETED,
    );
    expect(history.map(({ revision, type, changes }) => [revision, type, changes])).to.deep.equal([
      [0, 'ChannelCreated', { name: 'Orders', public: false, email: 'a@example.com' }],
      [1, 'ChannelUpdated', { name: 'Renamed', email: null }],
      [2, 'PublisherKeyRotated', { key_version: 2 }],
      [3, 'ChannelDeleted', {}],
    ]);
    expect(history[0]).to.include({ recorded_at: iso(AT_MS), by: 'system' });
  });

  it('says what each fact of a webhook changed: of headers their names, never what is sealed in them', () => {
    const history = changesOf(
      stream.webhook(1),
      webhookCreated({ headers: { 'x-one': SEALED, 'x-two': SEALED } }),
      webhookUpdated({ headers: { 'x-one': SEALED } }),
      webhookUpdated({ headers: null }),
      webhookUpdated({ name: 'mine' }),
      subscriberKeyRotated(),
      signingSecretRotated(),
      WEBHOOK_DELETED,
    );
    expect(history.map(({ changes }) => changes)).to.deep.equal([
      { webhook_url: 'https://subscriber.example/2001', headers: ['x-one', 'x-two'] },
      { headers: ['x-one'] },
      { headers: null },
      { name: 'mine' },
      { key_version: 2 },
      { secret_version: 2, previous_until: iso(AT_MS + 24 * 3_600_000) },
      {},
    ]);
    expect(JSON.stringify(history)).to.not.match(/c2VhbGVk|0123456789ab/);
  });
});

describe('what was there at a time', () => {
  const at = (...times: number[]) => times.map((recordedAtMs) => ({ recordedAtMs }));

  it('is all that the store had taken by then', () => {
    expect(factsUntil(at(1, 2, 2, 3), 2)).to.deep.equal(at(1, 2, 2));
    expect(factsUntil(at(1, 2), 5)).to.deep.equal(at(1, 2));
    expect(factsUntil(at(1, 2), 0)).to.deep.equal([]);
  });

  it('is a beginning of the log also where the clock of the store was set back', () => {
    expect(factsUntil(at(1, 5, 2, 3, 6), 3)).to.deep.equal(at(1));
    expect(factsUntil(at(1, 5, 2, 3, 6), 5)).to.deep.equal(at(1, 5, 2, 3));
  });
});
