import Type from 'typebox';
import type { ChannelFact } from '../../../domain/channel.ts';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { changeOf } from '../../../domain/history.ts';
import type { WebhookFact } from '../../../domain/webhook.ts';
import { Problem } from '../problems.ts';
import { base64, Hash, Note, PublicKey } from '../proof.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { Page, route } from '../route.ts';
import { By, Past, Time } from './answers.ts';

const Change = Type.Object(
  {
    ...Past,
    type: Type.String({ description: 'Name of the fact.', examples: ['ChannelUpdated'] }),
    by: By,
    request_id: Type.String({
      description: '`X-Request-Id` of the request that asked for it.',
      examples: ['3f0c0a52-6d2f-4f5c-8a53-0d9f3a0c4c11'],
    }),
    changes: Type.Record(Type.String(), Type.Unknown(), { examples: [{ name: 'my new name' }] }),
  },
  { title: 'Change' },
);

const HistoryQuery = listQuery(DEFAULT_LIMIT);

const Checkpoint = Type.Object(
  {
    tree_size: Type.Integer({ minimum: 1, description: 'How many facts the log had.', examples: [42] }),
    root_hash: Hash,
    at: Time,
    note: Note,
    public_key: PublicKey,
    consistency_proof: Type.Optional(
      Type.Array(Hash, { description: 'With `from`: that the log only went on from there (RFC 9162).' }),
    ),
  },
  { title: 'Checkpoint' },
);

export const auditRoutes = [
  route({
    method: 'GET',
    path: '/v1/channels/:channel/history',
    access: 'publisher',
    operation: 'getChannelHistory',
    summary: 'Who changed a channel, when and how',
    query: HistoryQuery,
    answer: Type.Array(Change),
    handle: async ({ channel, query }, { store }) =>
      page(await store.read<ChannelFact>(stream.channel(channel.id)), query),
  }),
  route({
    method: 'GET',
    path: '/v1/channels/:channel/webhooks/:webhook/history',
    access: 'webhook-owner',
    operation: 'getWebhookHistory',
    summary: 'Who changed a webhook, when and how',
    query: HistoryQuery,
    answer: Type.Array(Change),
    handle: async ({ webhook, query }, { store }) =>
      page(await store.read<WebhookFact>(stream.webhook(webhook.id)), query),
  }),
  route({
    method: 'GET',
    path: '/v1/checkpoint',
    access: 'anyone',
    operation: 'getCheckpoint',
    summary: 'The newest signed head of the tree over the log',
    problems: ['no-checkpoint'],
    query: Closed({
      from: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
          description: '`tree_size` of an earlier checkpoint: adds what proves that the log only went on from there.',
        }),
      ),
    }),
    answer: Checkpoint,
    handle({ query: { from } }, { tree: ofNode }) {
      const tree = ofNode();
      const head = tree?.lastHead();
      if (!tree || !head || head.tree_size < (from ?? 0)) {
        throw new Problem('no-checkpoint', 'No head of the tree is signed yet, or none that is that large.');
      }
      const { tree_size, root_hash, at, note, public_key } = head;
      const consistency_proof = from === undefined ? undefined : base64(tree.consistencyProof(from, tree_size));
      return { tree_size, root_hash, at, note, public_key, consistency_proof };
    },
  }),
];

/** Revisions ascending, from the first above `after`. */
function page(
  facts: readonly RecordedFact<ChannelFact | WebhookFact>[],
  { after = -1, limit = DEFAULT_LIMIT }: { after?: number | undefined; limit?: number | undefined },
) {
  const found = facts.filter(({ revision }) => revision > after).slice(0, limit + 1);
  return new Page(found.map(changeOf), limit, ({ revision }) => revision);
}
