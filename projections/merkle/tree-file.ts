import type { DatabaseSync } from 'node:sqlite';
import type { RecordedTreeHead } from '../../domain/tree-head.ts';
import { isInTree, type Leaf, leafHash, type StoredFact } from './leaf.ts';
import { consistencyProof, inclusionProof, type NodeAt, nodeHash, rootOf } from './tree-math.ts';

/**
 * Hashes are kept in tiles of 256 (https://c2sp.org/tlog-tiles): a tile of level L has the roots of 256 subtrees of height 8 L, side by side. What lies between two levels
 * is computed when it is asked for, so that a leaf costs hardly more than its own 32 bytes, and a proof touches one tile a level or two.
 */
const TILE_HEIGHT = 8;
const TILE = 2 ** TILE_HEIGHT;
const HASH_BYTES = 32;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tree (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, size INTEGER NOT NULL) STRICT;
  INSERT INTO tree VALUES (1, -1, 0) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS tiles (
    level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, number)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS positions (
    tile INTEGER PRIMARY KEY, first INTEGER NOT NULL, positions BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS positions_first ON positions (first);
  CREATE TABLE IF NOT EXISTS heads (revision INTEGER PRIMARY KEY, is_ours INTEGER NOT NULL, head TEXT NOT NULL) STRICT;`;

/** Creates the tables in an empty database; where they are there already, nothing. */
export function createTree(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}; COMMIT`);
}

/** The leaves of facts, and erased ones, each in its place. */
function* inOrder(facts: readonly StoredFact[], erased: readonly Leaf[]): Generator<Leaf> {
  let next = 0;
  for (const fact of facts) {
    for (let leaf = erased[next]; leaf && leaf.position < fact.position; leaf = erased[next]) {
      yield leaf;
      next += 1;
    }
    if (isInTree(fact.stream)) yield { position: fact.position, hash: leafHash(fact) };
  }
  yield* erased.slice(next);
}

/** The last tile of a level, as long as it is not full. */
interface Open {
  number: number;
  hashes: Buffer[];
}

export type TreeWriter = ReturnType<typeof treeWriter>;

/** Appends facts to the tree: the only writer of its file. */
export function treeWriter(db: DatabaseSync) {
  const select = db.prepare('SELECT position, size FROM tree');
  const selectTile = db.prepare('SELECT hashes FROM tiles WHERE level = ? AND number = ?');
  const selectPositions = db.prepare('SELECT positions FROM positions WHERE tile = ?');
  const update = db.prepare('UPDATE tree SET position = ?, size = ?');
  const saveTile = db.prepare('INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)');
  const savePositions = db.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?)');
  const saveHead = db.prepare('INSERT INTO heads VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const { root } = treeQueries(db);
  let size = 0;
  let levels: Open[] = [];
  let positions: number[] = [];

  function load() {
    ({ size } = select.get() as { size: number });
    levels = [];
    for (let level = 0, count = size; level === 0 || count > 0; level++, count = Math.floor(count / TILE)) {
      const number = Math.floor(count / TILE);
      const row = selectTile.get(level, number) as { hashes: Uint8Array } | undefined;
      levels.push({ number, hashes: row ? hashesIn(row.hashes) : [] });
    }
    const row = selectPositions.get(Math.floor(size / TILE)) as { positions: Uint8Array } | undefined;
    positions = row ? [...positionsIn(row.positions)] : [];
  }

  function push(level: number, hash: Buffer) {
    levels[level] ??= { number: 0, hashes: [] };
    const open = levels[level];
    open.hashes.push(hash);
    if (open.hashes.length < TILE) return;
    saveTile.run(level, open.number, Buffer.concat(open.hashes));
    push(level + 1, subtreeRoot(open.hashes));
    open.number += 1;
    open.hashes = [];
  }

  function add({ position, hash }: Leaf) {
    positions.push(position);
    const tile = Math.floor(size / TILE);
    size += 1;
    push(0, hash);
    if (positions.length < TILE) return;
    saveOpenPositions(tile);
    positions = [];
  }

  function saveOpenPositions(tile: number) {
    savePositions.run(tile, positions[0] as number, new Uint8Array(new Float64Array(positions).buffer));
  }

  function saveOpen() {
    for (const [level, { number, hashes }] of levels.entries())
      if (hashes.length > 0) saveTile.run(level, number, Buffer.concat(hashes));
    if (positions.length > 0) saveOpenPositions(Math.floor(size / TILE));
  }

  /** @returns whether it is a head of this tree */
  function keepHead(head: RecordedTreeHead): boolean {
    const { tree_size, root_hash, revision } = head;
    const isOurs = tree_size <= size && root(tree_size).toString('base64') === root_hash;
    saveHead.run(revision, isOurs ? 1 : 0, JSON.stringify(head));
    return isOurs;
  }

  load();
  return {
    size: (): number => size,
    position: (): number => (select.get() as { position: number }).position,
    /**
     * @param position of the last event that the batch has taken into account
     * @param heads that are among its events
     * @param erased leaves of what the log held in between once
     * @returns those of them that are no heads of this tree: they were signed over another log
     */
    append(
      facts: readonly StoredFact[],
      position: number,
      heads: readonly RecordedTreeHead[] = [],
      erased: readonly Leaf[] = [],
    ): RecordedTreeHead[] {
      db.exec('BEGIN IMMEDIATE');
      try {
        for (const leaf of inOrder(facts, erased)) add(leaf);
        saveOpen();
        const others = heads.filter((head) => !keepHead(head));
        update.run(position, size);
        db.exec('COMMIT');
        return others;
      } catch (error) {
        // A full disk has rolled it back already.
        if (db.isTransaction) db.exec('ROLLBACK');
        load();
        throw error;
      }
    },
  };
}

export type Tree = ReturnType<typeof treeQueries>;

/** What the tree's file tells. */
export function treeQueries(db: DatabaseSync) {
  const select = db.prepare('SELECT position, size FROM tree');
  const selectTile = db.prepare('SELECT hashes FROM tiles WHERE level = ? AND number = ?');
  const selectPositions = db.prepare(
    'SELECT tile, positions FROM positions WHERE first <= ? ORDER BY first DESC LIMIT 1',
  );
  const lastHead = db.prepare('SELECT head FROM heads WHERE is_ours = 1 ORDER BY revision DESC LIMIT 1');
  const headsRevision = db.prepare('SELECT max(revision) AS revision FROM heads');

  /** One reading of the tiles: each is fetched once. */
  function reading(): NodeAt {
    const tiles = new Map<string, readonly Buffer[]>();
    const tileAt = (level: number, number: number) => {
      const key = `${level}/${number}`;
      const known = tiles.get(key);
      if (known) return known;
      const row = selectTile.get(level, number) as { hashes: Uint8Array } | undefined;
      const hashes = row ? hashesIn(row.hashes) : [];
      tiles.set(key, hashes);
      return hashes;
    };
    return (height, index) => {
      const level = Math.floor(height / TILE_HEIGHT);
      const count = 2 ** (height % TILE_HEIGHT);
      const first = index * count;
      const inTile = first % TILE;
      return subtreeRoot(tileAt(level, Math.floor(first / TILE)).slice(inTile, inTile + count));
    };
  }

  return {
    size: (): number => (select.get() as { size: number }).size,
    position: (): number => (select.get() as { position: number }).position,
    root: (size: number): Buffer => rootOf(size, reading()),
    inclusionProof: (index: number, size: number): Buffer[] => inclusionProof(index, size, reading()),
    consistencyProof: (from: number, size: number): Buffer[] => consistencyProof(from, size, reading()),
    leaf: (index: number): Buffer => reading()(0, index),
    /** Index of the leaf of the fact at a position; undefined where the tree does not hold it. */
    indexOf(position: number): number | undefined {
      const row = selectPositions.get(position) as { tile: number; positions: Uint8Array } | undefined;
      const inTile = row ? positionsIn(row.positions).indexOf(position) : -1;
      return row && inTile >= 0 ? row.tile * TILE + inTile : undefined;
    },
    /** Revision of the last fact in the heads' stream, up to the tree's position; undefined where there is none. */
    headsRevision: (): number | undefined => (headsRevision.get() as { revision: number | null }).revision ?? undefined,
    /** The last head of this tree that the log held up to the tree's position. */
    lastHead: (): RecordedTreeHead | undefined => {
      const row = lastHead.get() as { head: string } | undefined;
      return row && (JSON.parse(row.head) as RecordedTreeHead);
    },
  };
}

/** Root over as many hashes as a power of two. */
function subtreeRoot(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1) {
    const above: Buffer[] = [];
    for (let i = 0; i < row.length; i += 2) above.push(nodeHash(row[i] as Buffer, row[i + 1] as Buffer));
    row = above;
  }
  return row[0] as Buffer;
}

function hashesIn(blob: Uint8Array): Buffer[] {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

function positionsIn(blob: Uint8Array): Float64Array {
  return new Float64Array(blob.slice().buffer);
}
