import { join } from 'node:path';

export const VERIFIER = join(import.meta.dirname, '../../docs/verify-proof.mjs');

interface Proof {
  readonly size: number;
  readonly root: Buffer;
  readonly proof: readonly Buffer[];
}

/** The stand-alone verifier of docs/, as a module. */
export interface Verifier {
  leafHash(fact: object): Buffer;
  provesInclusion(claim: Proof & { readonly leaf: Buffer; readonly index: number }): boolean;
  provesConsistency(claim: Proof & { readonly from: number; readonly fromRoot: Buffer }): boolean;
  openCheckpoint(note: string, publicKey: Uint8Array): { size: number; root: Buffer; time: string; origin: string };
  // biome-ignore lint/suspicious/noExplicitAny: it takes what JSON holds
  checkEntry(entry: any, publicKey: Uint8Array): object;
}

export const loadVerifier = (): Promise<Verifier> => import(VERIFIER);
