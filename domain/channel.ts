import Type, { type Static } from 'typebox';
import type { Facts, MadeWith, Nothing } from './fact.ts';
import { Clearable, Closed, MUST, realChanges, withChanges } from './fields.ts';
import { Refusal } from './refusal.ts';

const Name = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Name of the channel.',
  examples: ['my first channel'],
});
const Description = Type.String({
  maxLength: 4_096,
  description: 'What the channel is for.',
  examples: ['my optional channel description'],
});
const Guid = Type.String({
  pattern: '^(?![0-9]+$)[A-Za-z0-9._-]{1,128}$',
  [MUST]: 'be 1 to 128 letters, digits, "-", "_" or ".", and not all digits',
  description: 'An id of your own, unique over all live channels: letters, digits, `-`, `_`, `.`, not all digits.',
  examples: ['optional-unique-uid'],
});
const Email = Type.String({
  format: 'email',
  maxLength: 254,
  description: 'Whom to write to about this channel.',
  examples: ['me@example.com'],
});
export const Public = Type.Boolean({
  description: 'Whether the channel can be read without a key.',
  examples: [false],
});

export const NewChannel = Closed(
  {
    name: Name,
    description: Type.Optional(Description),
    guid: Type.Optional(Guid),
    email: Type.Optional(Email),
    public: Type.Optional(Public),
  },
  'NewChannel',
);
export type NewChannel = Static<typeof NewChannel>;

export const ChannelChanges = Closed(
  {
    name: Type.Optional(Name),
    description: Clearable(Description),
    guid: Type.Optional(Guid),
    email: Clearable(Email),
    public: Type.Optional(Public),
  },
  'ChannelChanges',
);
export type ChannelChanges = Static<typeof ChannelChanges>;

export interface ChannelFields {
  readonly name: string;
  readonly description?: string;
  readonly guid?: string;
  readonly email?: string;
  readonly public: boolean;
}

export type ChannelFact = Facts<{
  ChannelCreated: { id: number; fields: ChannelFields } & MadeWith;
  ChannelUpdated: { changes: Omit<ChannelChanges, 'guid'> };
  PublisherKeyRotated: { key_version: number } & MadeWith;
  ChannelDeleted: Nothing;
}>;

export interface LiveChannel {
  readonly status: 'live';
  readonly id: number;
  readonly fields: ChannelFields;
  /** Version of the publisher key, from 1. */
  readonly key_version: number;
  /** Name of the master secret that it was made with; null where that has none. */
  readonly key_made_with: string | null;
}

/** Of a channel that is no more: what its publisher key is told by, for whoever wants it erased. */
export type KeyOfChannel = Pick<LiveChannel, 'id' | 'key_version' | 'key_made_with'>;

type DeletedChannel = { readonly status: 'deleted' } & KeyOfChannel;
/** As a fact of its own leaves it. */
export type ErasedChannel = { readonly status: 'erased' } & KeyOfChannel;

export type Channel = { readonly status: 'none' } | LiveChannel | DeletedChannel;

export const NO_CHANNEL: Channel = { status: 'none' };

export function evolveChannel(channel: Channel, fact: ChannelFact): Channel {
  if (fact.type === 'ChannelCreated') {
    const { id, fields, made_with = null } = fact.data;
    return { status: 'live', id, fields, key_version: 1, key_made_with: made_with };
  }
  if (channel.status !== 'live') return channel;
  switch (fact.type) {
    case 'ChannelUpdated':
      return { ...channel, fields: withChanges<ChannelFields>(channel.fields, fact.data.changes) };
    case 'PublisherKeyRotated':
      return { ...channel, key_version: fact.data.key_version, key_made_with: fact.data.made_with ?? null };
    case 'ChannelDeleted': {
      const { id, key_version, key_made_with } = channel;
      return { status: 'deleted', id, key_version, key_made_with };
    }
  }
}

export type ChannelCommand =
  | { readonly type: 'CreateChannel'; readonly id: number; readonly fields: NewChannel; readonly madeWith: string }
  | { readonly type: 'UpdateChannel'; readonly changes: ChannelChanges }
  | { readonly type: 'RotatePublisherKey'; readonly madeWith: string }
  | { readonly type: 'DeleteChannel' };

/**
 * What a command on a channel makes happen.
 * @throws Refusal channel-exists, channel-not-found, guid-immutable
 */
export function decideChannel(channel: Channel, command: ChannelCommand): ChannelFact[] {
  if (command.type === 'CreateChannel') {
    if (channel.status !== 'none') throw new Refusal('channel-exists', `Channel ${command.id} exists already.`);
    const { id, fields, madeWith: made_with } = command;
    return [{ type: 'ChannelCreated', data: { id, fields: { ...fields, public: fields.public ?? false }, made_with } }];
  }
  if (channel.status !== 'live') throw new Refusal('channel-not-found', 'There is no such channel.');
  switch (command.type) {
    case 'UpdateChannel':
      return updateChannel(channel, command.changes);
    case 'RotatePublisherKey':
      return [
        { type: 'PublisherKeyRotated', data: { key_version: channel.key_version + 1, made_with: command.madeWith } },
      ];
    case 'DeleteChannel':
      return [{ type: 'ChannelDeleted', data: {} }];
  }
}

function updateChannel(channel: LiveChannel, { guid, ...rest }: ChannelChanges): ChannelFact[] {
  if (guid !== undefined && guid !== channel.fields.guid) {
    throw new Refusal('guid-immutable', 'The guid of a channel cannot be changed.', 'guid');
  }
  const changes = realChanges(channel.fields, rest);
  return Object.keys(changes).length === 0 ? [] : [{ type: 'ChannelUpdated', data: { changes } }];
}
