import { givenChannel } from '../../support/given.ts';
import {
  CHANNEL_DELETED,
  CHANNEL_ID,
  channelCreated,
  channelUpdated,
  MADE_WITH,
  publisherKeyRotated,
} from '../../support/sample.ts';

const update = (changes: object) => ({ type: 'UpdateChannel', changes }) as const;

describe('channel', () => {
  it('is created, private unless it says otherwise', () => {
    const create = (fields: { name: string; public?: boolean }) =>
      givenChannel().when({ type: 'CreateChannel', id: CHANNEL_ID, fields, madeWith: MADE_WITH });
    create({ name: 'Orders' }).then(channelCreated({ public: false }));
    create({ name: 'Orders', public: true }).then(channelCreated({ public: true }));
  });

  it('is created once, also after its end', () => {
    const create = { type: 'CreateChannel', id: CHANNEL_ID, fields: { name: 'Orders' }, madeWith: MADE_WITH } as const;
    givenChannel(channelCreated()).when(create).thenRefused('channel-exists');
    givenChannel(channelCreated(), CHANNEL_DELETED).when(create).thenRefused('channel-exists');
  });

  it('records of an update only what really changes', () => {
    const channel = givenChannel(channelCreated({ name: 'Orders', email: 'a@example.com' }));
    channel.when(update({ name: 'New', email: 'a@example.com' })).then(channelUpdated({ name: 'New' }));
    channel.when(update({ email: null, description: null })).then(channelUpdated({ email: null }));
    channel.when(update({ name: 'Orders', public: false })).then();
    channel.when(update({})).then();
  });

  it('keeps its guid', () => {
    const channel = givenChannel(channelCreated({ guid: 'mine' }));
    channel.when(update({ guid: 'other', name: 'New' })).thenRefused('guid-immutable', 'guid');
    channel.when(update({ guid: 'mine', name: 'New' })).then(channelUpdated({ name: 'New' }));
    givenChannel(channelCreated())
      .when(update({ guid: 'late' }))
      .thenRefused('guid-immutable', 'guid');
  });

  it('counts the versions of its key up', () => {
    const rotate = { type: 'RotatePublisherKey', madeWith: MADE_WITH } as const;
    givenChannel(channelCreated()).when(rotate).then(publisherKeyRotated(2));
    givenChannel(channelCreated(), publisherKeyRotated(2)).when(rotate).then(publisherKeyRotated(3));
  });

  it('takes no command before it is created or after its end', () => {
    for (const command of [
      update({ name: 'x' }),
      { type: 'RotatePublisherKey', madeWith: MADE_WITH },
      { type: 'DeleteChannel' },
    ] as const) {
      givenChannel().when(command).thenRefused('channel-not-found');
      givenChannel(channelCreated(), CHANNEL_DELETED).when(command).thenRefused('channel-not-found');
    }
  });

  it('ends', () => {
    givenChannel(channelCreated()).when({ type: 'DeleteChannel' }).then(CHANNEL_DELETED);
  });

  it('is the fold of its facts', () => {
    givenChannel(
      channelCreated({ guid: 'mine', email: 'a@example.com' }),
      channelUpdated({ name: 'New', email: null, description: 'All of them' }),
      publisherKeyRotated(2),
    ).thenState({
      status: 'live',
      id: CHANNEL_ID,
      fields: { name: 'New', description: 'All of them', guid: 'mine', public: false },
      key_version: 2,
      key_made_with: MADE_WITH,
    });
  });

  it('stays deleted whatever was appended behind the deletion', () => {
    const deleted = { status: 'deleted', id: CHANNEL_ID, key_version: 1, key_made_with: MADE_WITH } as const;
    givenChannel(channelCreated(), CHANNEL_DELETED, channelUpdated(), publisherKeyRotated()).thenState(deleted);
    givenChannel(channelUpdated()).thenState({ status: 'none' });
  });
});
