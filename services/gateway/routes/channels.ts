import Type, { type Static } from 'typebox';
import { ChannelChanges, type KeyOfChannel, type LiveChannel, NewChannel, Public } from '../../../domain/channel.ts';
import { type Actor, stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { factId } from '../../../domain/ids.ts';
import type { EventStore } from '../../../infra/event-store/client.ts';
import { keyMissing } from '../access.ts';
import { asCreated, CHANNEL, carryOut, ERASURE } from '../commands.ts';
import type { Gateway } from '../context.ts';
import { releaseGuid, reserveGuid } from '../guids.ts';
import { At, channelThen } from '../past.ts';
import { Problem } from '../problems.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { Page, type Request, route } from '../route.ts';
import { ChannelId, Deleted, NoFields, Past } from './answers.ts';

export const ChannelAnswer = Type.Object(
  {
    id: ChannelId,
    ...NewChannel.properties,
    public: Public,
    publisher_key: Type.Optional(
      Type.String({
        description: 'What the publisher authenticates with.',
        examples: ['pk_db0eaf8e5d11e6878f96cdcbe2a9de3228622f29'],
      }),
    ),
  },
  { title: 'Channel' },
);

/** Without its key, which is the one of today. */
const PastChannel = Type.Object(
  { id: ChannelId, ...NewChannel.properties, public: Public, ...Past },
  { title: 'PastChannel' },
);

const ListQuery = listQuery(DEFAULT_LIMIT);

const DeleteQuery = Closed({
  erase: Type.Optional(
    Type.Enum(['true', 'false'], { description: 'Whether all that there is of the channel is to be erased, too.' }),
  ),
});

export const channelRoutes = [
  route({
    method: 'POST',
    path: '/v1/channels',
    access: 'channel-creator',
    operation: 'createChannel',
    summary: 'Create a channel',
    problems: ['channel-exists', 'guid-taken'],
    body: NewChannel,
    answer: ChannelAnswer,
    location: channelPath,
    handle: createChannel,
  }),
  route({
    method: 'GET',
    path: '/v1/channels',
    access: 'admin',
    operation: 'listChannels',
    summary: 'List all channels',
    query: ListQuery,
    answer: Type.Array(ChannelAnswer),
    async handle({ query: { after, limit = DEFAULT_LIMIT } }, { readModels, freshness, keyring }) {
      await freshness.whenAllRead();
      const found = readModels.channels.page({ after, limit: limit + 1 });
      const answers = found.map((channel) => channelAnswer(channel, keyring.publisherKey(channel)));
      return new Page(answers, limit, ({ id }) => id);
    },
  }),
  route({
    method: 'GET',
    path: '/v1/channels/:channel',
    access: 'channel-reader',
    operation: 'getChannel',
    summary: 'Read a channel',
    problems: ['not-there-then'],
    query: Closed({ at: At }),
    answer: Type.Union([ChannelAnswer, PastChannel]),
    handle({ channel, by, query }, { store, keyring }) {
      if (query.at !== undefined) return pastChannel(store, channel.id, { at: query.at, by });
      if (by !== 'anyone') return channelAnswer(channel, keyring.publisherKey(channel));
      return { ...channelAnswer(channel), email: undefined };
    },
  }),
  route({
    method: 'PUT',
    path: '/v1/channels/:channel',
    access: 'publisher',
    operation: 'updateChannel',
    summary: 'Change a channel',
    problems: ['guid-immutable'],
    body: ChannelChanges,
    answer: ChannelAnswer,
    async handle({ channel: { id }, body: changes, requestId, by }, { store, channels, keyring }) {
      const stamp = { about: id, requestId, by };
      const name = stream.channel(id);
      const { state, position } = await carryOut(store, name, CHANNEL, { type: 'UpdateChannel', changes }, stamp);
      channels.changed(id, position);
      const channel = state as LiveChannel;
      return channelAnswer(channel, keyring.publisherKey(channel));
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/channels/:channel',
    access: 'channel-ender',
    operation: 'deleteChannel',
    summary: 'Delete a channel, or erase all that there is of it',
    query: DeleteQuery,
    answer: Deleted,
    handle: deleteChannel,
  }),
  route({
    method: 'POST',
    path: '/v1/channels/:channel/rotate_key',
    access: 'publisher',
    operation: 'rotatePublisherKey',
    summary: 'Replace the publisher key',
    body: NoFields,
    answer: ChannelAnswer,
    handle: rotateKey,
  }),
];

/** The new key is in the answer; the old one is taken no more by who has read of it. */
async function rotateKey(request: Request<'/v1/channels/:channel/rotate_key', typeof NoFields>, gateway: Gateway) {
  const { id, channel, requestId, by } = request;
  const { store, channels, keyring } = gateway;
  const command = { type: 'RotatePublisherKey', madeWith: keyring.madeWith } as const;
  const stamp = { about: channel.id, requestId, by };
  const once = factId('PublisherKeyRotated', id);
  const { state, position } = await carryOut(store, stream.channel(channel.id), CHANNEL, command, stamp, { once });
  channels.changed(channel.id, position);
  const rotated = state as LiveChannel;
  return channelAnswer(rotated, keyring.publisherKey(rotated));
}

export function channelPath({ id }: { readonly id: number }): string {
  return `/v1/channels/${id}`;
}

function channelAnswer({ id, fields }: LiveChannel, publisher_key?: string) {
  const { name, description, guid, email, public: isPublic } = fields;
  return { id, name, description, guid, email, public: isPublic, publisher_key };
}

async function pastChannel(store: EventStore, id: number, { at, by }: { at: string; by: Actor }) {
  const { state, revision, recorded_at } = await channelThen(store, id, { at });
  const answer = { ...channelAnswer(state), revision, recorded_at };
  if (by !== 'anyone') return answer;
  if (!state.fields.public) throw keyMissing();
  return { ...answer, email: undefined };
}

async function createChannel(request: Request<'/v1/channels', typeof NewChannel>, gateway: Gateway) {
  const { id, body: fields, requestId, by, repeated } = request;
  const { store, channels, freshness, keyring, readModels } = gateway;
  const stamp = { about: id, requestId, by };
  const name = stream.channel(id);
  const command = { type: 'CreateChannel', id, fields, madeWith: keyring.madeWith } as const;
  let made = repeated ? await asCreated(store, name, CHANNEL) : undefined;
  if (!made && repeated && readModels.channels.endedById(id)) {
    throw new Problem('channel-not-found', 'The channel that this request created was erased.');
  }
  if (!made) {
    if (fields.guid !== undefined) await reserveGuid(gateway, fields.guid, stamp);
    made = await carryOut(store, name, CHANNEL, command, stamp, { isNew: true });
  }
  channels.changed(id, made.position);
  if (fields.guid !== undefined) freshness.wrote(stream.guid(fields.guid), made.position);
  const channel = made.state as LiveChannel;
  return channelAnswer(channel, keyring.publisherKey(channel));
}

async function deleteChannel(
  request: Request<'/v1/channels/:channel', never, typeof DeleteQuery>,
  gateway: Gateway,
): Promise<Static<typeof Deleted>> {
  const { ended, query } = request;
  const isToBeErased = query.erase === 'true';
  if (ended && !isToBeErased) throw new Problem('channel-not-found', 'The channel was deleted before.');
  const channel = ended ?? (await endChannel(request, gateway));
  if (isToBeErased) await requestErasure(request, channel, gateway);
  return { response: 'ok' };
}

async function endChannel(request: Ending, gateway: Gateway): Promise<KeyOfChannel> {
  const { channel, requestId, by } = request;
  const {
    id,
    fields: { guid },
  } = channel;
  const stamp = { about: id, requestId, by };
  const name = stream.channel(id);
  const { state, position } = await carryOut(gateway.store, name, CHANNEL, { type: 'DeleteChannel' }, stamp);
  gateway.channels.changed(id, position);
  if (guid !== undefined) {
    gateway.freshness.wrote(stream.guid(guid), position);
    await releaseGuid(gateway, guid, stamp);
  }
  return state as KeyOfChannel & typeof state;
}

type Ending = Pick<Request<'/v1/channels/:channel'>, 'channel' | 'requestId' | 'by'>;

/** The rest is done in the background. @throws Refusal channel-not-found where that was asked for before */
async function requestErasure({ requestId, by }: Ending, channel: KeyOfChannel, gateway: Gateway) {
  const { store, channels, nowMs } = gateway;
  const { id } = channel;
  const command = { type: 'RequestErasure', channel, atMs: nowMs(), by } as const;
  const { position } = await carryOut(store, stream.erasure(id), ERASURE, command, { about: id, requestId, by });
  channels.changed(id, position);
}
