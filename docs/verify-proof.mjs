// Checks what `GET …/notification_log?proof=1` and `GET /v1/checkpoint?from=SIZE` answer, with nothing but the public key and node:crypto. docs/audit.md says what is proven.
//
//   node verify-proof.mjs PUBLIC_KEY LOG.json           every entry of a notification log
//   node verify-proof.mjs PUBLIC_KEY OLD.json NEW.json  that the log of a later checkpoint (asked for with ?from=SIZE_OF_OLD) only went on from an earlier one
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const netstring = (text) => `${Buffer.byteLength(text)}:${text},`;

/** RFC 9162, section 2.1.1 */
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

/** The leaf of a fact: docs/audit.md. */
export function leafHash({ stream, revision, type, id, metadata, data }) {
  const content = sha256(netstring(metadata), netstring(data)).toString('hex');
  return sha256(
    Buffer.of(0),
    ['webhooks-fact-v1', stream, String(revision), type, id, content].map(netstring).join(''),
  );
}

/** RFC 9162, section 2.1.3.2 */
export function provesInclusion({ leaf, index, size, proof, root }) {
  if (!(index < size)) return false;
  let fn = BigInt(index);
  let sn = BigInt(size - 1);
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      hash = nodeHash(sibling, hash);
      while ((fn & 1n) === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && hash.equals(root);
}

/** RFC 9162, section 2.1.4.2 */
export function provesConsistency({ from, fromRoot, size, root, proof }) {
  if (!(from > 0 && from <= size)) return false;
  if (from === size) return proof.length === 0 && fromRoot.equals(root);
  const path = Number.isInteger(Math.log2(from)) ? [fromRoot, ...proof] : proof;
  if (path.length === 0) return false;
  let fn = BigInt(from - 1);
  let sn = BigInt(size - 1);
  while ((fn & 1n) === 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [old, now] = [path[0], path[0]];
  for (const hash of path.slice(1)) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      old = nodeHash(hash, old);
      now = nodeHash(hash, now);
      while ((fn & 1n) === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      now = nodeHash(now, hash);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && old.equals(fromRoot) && now.equals(root);
}

/** A checkpoint (https://c2sp.org/tlog-checkpoint) in a note that the key has signed (https://c2sp.org/signed-note). Throws where it has not. */
export function openCheckpoint(note, publicKey) {
  const [text, signatures] = note.split(/(?<=\n)\n(?=— )/);
  const [origin, size, root, time] = text.split('\n');
  const [, name, signature] = /^— (\S+) (\S+)\n$/.exec(signatures ?? '') ?? [];
  const bytes = Buffer.from(signature ?? '', 'base64');
  const keyId = sha256(`${name}\n`, Buffer.of(1), publicKey).subarray(0, 4);
  // An ed25519 key as SubjectPublicKeyInfo: RFC 8410, section 4.
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const isSigned = verify(null, Buffer.from(text), key, bytes.subarray(4));
  if (name !== origin || !bytes.subarray(0, 4).equals(keyId) || !isSigned)
    throw new Error('the key has not signed this checkpoint');
  return { origin, size: Number(size), root: Buffer.from(root, 'base64'), time: time.replace('time ', '') };
}

/** Checks an entry of a notification log. Throws an Error that says what is not proven. */
export function checkEntry({ proof, webhook_id, attempts, redeliveries = [] }, publicKey) {
  const { origin, size, root, time } = openCheckpoint(proof.checkpoint, publicKey);
  for (const fact of proof.facts) {
    const name = `${fact.type} ${fact.stream}@${fact.revision}`;
    if (fact.leaf_index === null) throw new Error(`${name} came after this checkpoint: ask again later`);
    const path = fact.inclusion_proof.map((hash) => Buffer.from(hash, 'base64'));
    const isProven = provesInclusion({ leaf: leafHash(fact), index: fact.leaf_index, size, proof: path, root });
    if (!isProven) throw new Error(`${name} is not in the log that was signed`);
  }
  const [published, ...later] = proof.facts;
  const event = JSON.parse(published.data);
  const attempted = later.filter(({ type }) => type === 'DeliveryAttempted').map(({ data }) => JSON.parse(data));
  const isOfEntry = attempted.every((fact) => fact.event_id === event.id && fact.webhook_id === webhook_id);
  if (published.type !== 'EventPublished' || !isOfEntry) throw new Error('the facts are those of something else');
  const shown = attempts.map(({ attempt, ...rest }) => rest);
  const proven = attempted.map((fact, i) =>
    Object.fromEntries(Object.keys(shown[i] ?? {}).map((field) => [field, fact[field]])),
  );
  if (!isDeepStrictEqual(shown, proven)) throw new Error('the attempts are not those of the facts');
  const asked = later
    .filter(({ type }) => type === 'RedeliveryRequested' || type === 'EventsRecovered')
    .map(({ data }) => JSON.parse(data));
  const wasAsked = ({ id, requested_at, by, reason }) =>
    asked.some((fact) =>
      isDeepStrictEqual([fact.id, fact.requested_at, fact.by, fact.reason], [id, requested_at, by, reason]),
    );
  if (asked.length !== redeliveries.length || !redeliveries.every(wasAsked))
    throw new Error('the redeliveries are not those of the facts');
  return { event_id: event.id, webhook_id, attempts: attempted.length, origin, size, time };
}

/** Checks that the log of checkpoint `now` begins with that of checkpoint `old`. Throws an Error where that is not proven. */
export function checkConsistency(old, now, publicKey) {
  const [before, after] = [openCheckpoint(old.note, publicKey), openCheckpoint(now.note, publicKey)];
  const proof = (now.consistency_proof ?? []).map((hash) => Buffer.from(hash, 'base64'));
  const isProven = provesConsistency({
    from: before.size,
    fromRoot: before.root,
    size: after.size,
    root: after.root,
    proof,
  });
  if (!isProven) throw new Error('the log of the later checkpoint does not go on from that of the earlier one');
  return { from: before.size, size: after.size };
}

if (process.argv[1] === import.meta.filename) {
  const [key, ...files] = process.argv.slice(2);
  const publicKey = Buffer.from(key ?? '', 'base64');
  const [first, second] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  try {
    const checked = second
      ? [checkConsistency(first, second, publicKey)]
      : first.map((entry) => checkEntry(entry, publicKey));
    for (const proven of checked) console.log('proven', JSON.stringify(proven));
  } catch (error) {
    console.error(`not proven: ${error.message}`);
    process.exitCode = 1;
  }
}
