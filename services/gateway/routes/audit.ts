import Type from 'typebox';
import type { ChannelFact } from '../../../domain/channel.ts';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { changeOf } from '../../../domain/history.ts';
import type { WebhookFact } from '../../../domain/webhook.ts';
import { Problem } from '../problems.ts';
import { base64 } from '../proof.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { Page, route } from '../route.ts';

const Change = Type.Object({
  revision: Type.Integer({ minimum: 0 }),
  type: Type.String({ description: 'Name of the fact.' }),
  recorded_at: Type.String({ format: 'date-time' }),
  by: Type.Enum(['anyone', 'publisher', 'subscriber', 'admin', 'system'], {
    description: 'The kind of key that asked for it.',
  }),
  request_id: Type.String({ description: '`X-Request-Id` of the request that asked for it.' }),
  changes: Type.Record(Type.String(), Type.Unknown()),
});

const HistoryQuery = listQuery(DEFAULT_LIMIT);

const Checkpoint = Type.Object({
  tree_size: Type.Integer({ minimum: 1, description: 'How many facts the log had.' }),
  root_hash: Type.String({ description: 'Base64.' }),
  at: Type.String({ format: 'date-time' }),
  note: Type.String({ description: 'What is signed, and the signature: a signed note that holds a checkpoint.' }),
  public_key: Type.String({ description: 'The ed25519 key: 32 bytes in base64.' }),
  consistency_proof: Type.Optional(
    Type.Array(Type.String(), { description: 'With `from`: that the log only went on from there (RFC 9162).' }),
  ),
});

export const auditRoutes = [
  route({
    method: 'GET',
    path: '/v1/channels/:channel/history',
    access: 'publisher',
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
    summary: 'The newest signed head of the tree over the log',
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
