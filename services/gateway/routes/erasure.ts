import Type from 'typebox';
import { Problem } from '../problems.ts';
import { route } from '../route.ts';
import { By, ChannelId, Nullable, Time } from './answers.ts';

const Count = Type.Integer({ minimum: 0 });
const ErasureAnswer = Type.Object(
  {
    channel_id: ChannelId,
    status: Type.Enum(['running', 'finished']),
    requested_at: Time,
    by: By,
    erased: Type.Object(
      { events: Count, attempts: Count, webhooks: Count, facts: Count },
      { description: 'What is gone so far; `facts` counts all that the log held of the channel.' },
    ),
    finished_at: Nullable(Time),
  },
  { title: 'Erasure' },
);

export const erasureRoutes = [
  route({
    method: 'GET',
    path: '/v1/channels/:channel/erasure',
    access: 'channel-ender',
    operation: 'getErasure',
    summary: 'Read how far the erasure of a channel is',
    problems: ['erasure-not-found'],
    answer: ErasureAnswer,
    handle({ ended }, { readModels }) {
      const erasure = ended && readModels.erasures.byChannel(ended.id);
      if (!erasure) throw new Problem('erasure-not-found', 'Nobody has asked for this channel to be erased.');
      return erasure;
    },
  }),
];
