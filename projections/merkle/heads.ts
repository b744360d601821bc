import { stream } from '../../domain/facts.ts';
import type { RecordedTreeHead, TreeHead, TreeHeadFact } from '../../domain/tree-head.ts';
import type { StoredFact } from './leaf.ts';

/** The signed heads among facts of the log. */
export function headsAmong(facts: readonly StoredFact[]): RecordedTreeHead[] {
  return facts.filter(isHead).map(({ data, revision }) => {
    const head = JSON.parse(Buffer.from(data).toString()) as TreeHead;
    return { ...head, revision };
  });
}

function isHead({ stream: name, type }: StoredFact): boolean {
  return name === stream.treeHeads && type === ('TreeHeadSigned' satisfies TreeHeadFact['type']);
}
