import Type, { type Static } from 'typebox';
import type { StoredEvent } from '../../infra/event-store/client.ts';
import type { Tree } from '../../projections/merkle/tree-file.ts';
import type { EntryFacts } from './past.ts';
import { Nullable } from './routes/answers.ts';

export const Hash = Type.String({
  description: 'Base64.',
  examples: ['47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
});
export const Note = Type.String({
  description: 'The newest head and its signature: a signed note that holds a checkpoint.',
  examples: ['webhooks\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— webhooks …\n'],
});
export const PublicKey = Type.String({
  description: 'The ed25519 key that signed it: 32 bytes in base64.',
  examples: ['11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='],
});

const ProvenFact = Type.Object({
  stream: Type.String(),
  revision: Type.Integer({ minimum: 0 }),
  type: Type.String(),
  id: Type.String(),
  metadata: Type.String({ description: 'As the log holds it.' }),
  data: Type.String({ description: 'As the log holds it.' }),
  leaf_index: Nullable(Type.Integer({ minimum: 0 })),
  inclusion_proof: Nullable(Type.Array(Hash)),
});
export const Proof = Type.Object(
  { checkpoint: Nullable(Note), public_key: Nullable(PublicKey), facts: Type.Array(ProvenFact) },
  { title: 'Proof' },
);

/** What a third party needs to check an entry against the newest signed head; docs/audit.md. */
export function proofOf({ published, changes }: EntryFacts, tree: Tree | undefined): Static<typeof Proof> {
  const head = tree?.lastHead();
  return {
    checkpoint: head?.note ?? null,
    public_key: head?.public_key ?? null,
    facts: [published, ...changes].map((fact) => ({ ...shown(fact), ...placeOf(fact, tree, head?.tree_size ?? 0) })),
  };
}

function shown({ stream, revision, type, id, metadata, data }: StoredEvent) {
  return { stream, revision, type, id, metadata: metadata.toString(), data: data.toString() };
}

/** Where a fact stands in the tree over the first `size` leaves; null what came after them. */
function placeOf({ position }: StoredEvent, tree: Tree | undefined, size: number) {
  const index = tree?.indexOf(position);
  if (!tree || index === undefined || index >= size) return { leaf_index: null, inclusion_proof: null };
  return { leaf_index: index, inclusion_proof: base64(tree.inclusionProof(index, size)) };
}

export function base64(hashes: readonly Buffer[]): string[] {
  return hashes.map((hash) => hash.toString('base64'));
}
