import { readFileSync } from 'node:fs';
import type { TreeHead } from '../../domain/tree-head.ts';
import { type Checkpoint, openCheckpoint } from '../../infra/checkpoint.ts';
import { CannotStart } from '../../infra/local/cannot-start.ts';

/** A head that somebody kept, its signature checked. */
export interface KeptHead extends Checkpoint {
  readonly file: string;
  readonly public_key: string;
}

/**
 * Reads an answer of GET /v1/checkpoint from a file.
 * @param publicKey in base64, that must have signed it; absent: the one that it names
 * @throws CannotStart where it is none, or another key has signed it
 */
export function readKeptHead(file: string, publicKey: string | undefined): KeptHead {
  const { note, public_key } = parse(file);
  try {
    const key = publicKey ?? public_key;
    return { ...openCheckpoint(note, Buffer.from(key, 'base64')), file, public_key: key };
  } catch (error) {
    throw new CannotStart(`${file} is not to be trusted: ${(error as Error).message}`);
  }
}

function parse(file: string): Pick<TreeHead, 'note' | 'public_key'> {
  try {
    const { note, public_key } = JSON.parse(readFileSync(file, 'utf8')) as Partial<TreeHead>;
    if (typeof note === 'string' && typeof public_key === 'string') return { note, public_key };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw new CannotStart(`${file} cannot be read: ${(error as Error).message}`);
  }
  throw new CannotStart(`${file} is no answer of GET /v1/checkpoint`);
}
