import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** A fact names a master secret that is not set here. */
export class MasterSecretMissing extends Error {
  override readonly name = 'MasterSecretMissing';
  constructor(name: string) {
    super(`the master secret ${name} is needed, and is not in MASTER_SECRETS`);
  }
}

/** What a fact says of the master secret that something was made with: its name; nothing in facts of before there were names. */
export type MadeWith = string | null | undefined;

export type MasterSecrets = ReturnType<typeof createMasterSecrets>;

/**
 * The secrets that all else is derived from, by name. A name is derived as well, so that it needs no setting, and stays what it is where the list
 * grows, shrinks or changes its order.
 * @param secrets the first makes what is new
 * @param unnamed what was made before facts named theirs was made with this one
 */
export function createMasterSecrets(secrets: readonly string[], unnamed = secrets.at(-1)) {
  const [first] = secrets;
  if (first === undefined || unnamed === undefined) throw new Error('there is no master secret');
  const byName = new Map<string, KeyObject>();
  for (const secret of [...secrets, unnamed]) byName.set(nameOf(secret), createSecretKey(secret, 'utf8'));

  return {
    /** Of all that there are; the one that makes what is new comes first. */
    names: [...byName.keys()],
    /** Name of the one that makes what is new. */
    newest: nameOf(first),
    /** HMAC-SHA-256 of a text. @throws MasterSecretMissing */
    derive(madeWith: MadeWith, text: string): Buffer {
      const name = madeWith ?? nameOf(unnamed);
      const secret = byName.get(name);
      if (!secret) throw new MasterSecretMissing(name);
      return createHmac('sha256', secret).update(text).digest();
    },
  };
}

/** 12 hex digits that tell nothing of the secret to whoever has its keys. */
function nameOf(secret: string): string {
  return createHmac('sha256', secret).update('name').digest('hex').slice(0, 12);
}
