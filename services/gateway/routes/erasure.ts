import Type from 'typebox';
import { ACTORS } from '../../../domain/facts.ts';
import { Problem } from '../problems.ts';
import { route } from '../route.ts';
import { Id, Time } from './answers.ts';

const Count = Type.Integer({ minimum: 0 });
const ErasureAnswer = Type.Object({
  channel_id: Id,
  status: Type.Enum(['running', 'finished']),
  requested_at: Time,
  by: Type.Enum(ACTORS, { description: 'The kind of key that asked.' }),
  erased: Type.Object(
    { events: Count, attempts: Count, webhooks: Count, facts: Count },
    { description: 'What is gone so far; `facts` counts all that the log held of the channel.' },
  ),
  finished_at: Type.Union([Time, Type.Null()]),
});

export const erasureRoutes = [
  route({
    method: 'GET',
    path: '/v1/channels/:channel/erasure',
    access: 'channel-ender',
    summary: 'Read how far the erasure of a channel is',
    answer: ErasureAnswer,
    handle({ ended }, { readModels }) {
      const erasure = ended && readModels.erasures.byChannel(ended.id);
      if (!erasure) throw new Problem('erasure-not-found', 'Nobody has asked for this channel to be erased.');
      return erasure;
    },
  }),
];
