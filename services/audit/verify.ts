import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErasureFact } from '../../domain/erasure.ts';
import { stream } from '../../domain/facts.ts';
import { CannotStart } from '../../infra/local/cannot-start.ts';
import { readModelsFile } from '../../projections/generations.ts';
import { createRemains, withoutFacts } from '../remains.ts';
import { treeFile } from '../tree.ts';
import { type Comparison, compareFiles, inWords } from './compare.ts';
import { createGapCheck, findDiffering } from './gaps.ts';
import { type KeptHead, readKeptHead } from './kept-head.ts';
import { createProgressLine } from './progress-line.ts';
import { createScratch, type Scratch } from './scratch.ts';
import type { AuditedLog } from './source.ts';

export interface VerifyOptions {
  readonly head?: readonly string[];
  readonly publicKey?: string;
  readonly scratch?: string;
}

/**
 * Makes read models and tree anew from the log, compares them with the live ones, and the heads in the log and those that somebody kept with the tree. The live ones
 * move on meanwhile: each is compared as it was at one place in the log. Prints what differs.
 * @returns whether all is as it should be
 * @throws CannotStart, StoreUnavailable
 */
export async function verify(log: AuditedLog, options: VerifyOptions, signal: AbortSignal): Promise<boolean> {
  const kept = (options.head ?? []).map((file) => readKeptHead(file, options.publicKey));
  const findings = createFindings();
  const scratch = createScratch(options.scratch ?? tmpdir(), (heads) => {
    for (const { revision, at } of heads)
      findings.add(`the head that was signed at ${at} (tree-heads@${revision}) is not that of this log`);
  });
  const models = openLive(readModelsFile(log.dataDir), scratch.files.models, 'checkpoint');
  const tree = openLive(treeFile(log.dataDir), scratch.files.tree, 'tree');
  try {
    const end = await log.store.lastPosition();
    const reading = createReading(log, scratch, findings, { end, signal });
    if (models) await reading.whenErasedIn(models);
    else reading.leaveModels();
    // The log is read once: what is less far in it comes first.
    const treeAt = tree?.pin() ?? -1;
    const areModelsBehind = models !== undefined && models.position() < treeAt && models.pin() < treeAt;
    if (models && areModelsBehind) await compareModels(models, reading, findings);
    if (tree) await compareTree(tree, reading, findings);
    if (models && !areModelsBehind) await compareModels(models, reading, findings);
    await reading.upTo(end);
    await reading.checkErasures();
    for (const head of kept) checkHead(head, scratch, findings);
    const leaves = scratch.askTree((tree) => tree.size());
    console.error(`${reading.line.facts()} facts read, ${reading.line.perS()}/s; the log has ${leaves} leaves`);
    return findings.areNone();
  } finally {
    for (const live of [models, tree]) live?.close();
    await scratch.close();
  }
}

function openLive(file: string, scratch: string, positionIn: string): Comparison | undefined {
  if (existsSync(file)) return compareFiles(file, scratch, positionIn);
  console.error(`there is no ${file} to compare with`);
  return undefined;
}

type Findings = ReturnType<typeof createFindings>;

function createFindings() {
  let count = 0;
  return {
    add(text: string): void {
      count += 1;
      console.log(text);
    },
    areNone: (): boolean => count === 0,
  };
}

/** Streams whose facts do not go by their age. */
const NOT_EXPIRING = /^(?!events-|deliveries-)/;
const ANY = /^/;

/** How long the live read models are waited for, and how often they are looked at, in ms. */
const PATIENCE_MS = 5_000;
const LOOK_MS = 50;
const BEHIND_ERASURE =
  'the read models have not read of all that was erased, so there is nothing to compare them with: start the service, then verify again';

/** Events read and applied at a time. */
const AT_A_TIME = 4_096;

type Reading = ReturnType<typeof createReading>;

/** Reads the log once, as far as it is asked to. */
function createReading(
  { store }: AuditedLog,
  scratch: Scratch,
  findings: Findings,
  { end, signal }: { readonly end: number; readonly signal: AbortSignal },
) {
  const line = createProgressLine(end);
  const remains = createRemains(store);
  const lookForGaps = createGapCheck(remains, findings.add);
  let at = -1;
  let areModelsWanted = true;
  return {
    line,
    /** Whether the log is as long as what was made of it. @throws StoreUnavailable */
    async reaches(what: string, position: number): Promise<boolean> {
      const last = await store.lastPosition();
      if (position <= last) return true;
      findings.add(`${what} know a log up to position ${position}, but this one ends at ${last}: facts were removed`);
      return false;
    },
    /** Says of which channels facts are gone that neither an erasure nor RETENTION has let go. @throws StoreUnavailable */
    async checkErasures(): Promise<void> {
      const hasExpired = (await store.read(stream.retention, { last: 1 })).length > 0;
      for (const id of remains.channels(hasExpired ? NOT_EXPIRING : ANY)) {
        const [requested] = await store.read<ErasureFact>(stream.erasure(id));
        if (requested?.type !== 'ErasureRequested')
          findings.add(`facts of channel ${id} were erased, but nobody asked for that`);
      }
      if (remains.count() > 0)
        console.error(`${remains.count()} facts are erased, or about to be; their leaves are in the tree`);
    },
    /**
     * Waits until the live read models have read of all that is erased: before that they hold what the log cannot make any more.
     * @throws CannotStart where they do not get there
     */
    async whenErasedIn(models: Comparison): Promise<void> {
      await remains.catchUp();
      const untilMs = performance.now() + PATIENCE_MS;
      while (models.position() < remains.position()) {
        if (performance.now() > untilMs) throw new CannotStart(BEHIND_ERASURE);
        await delay(LOOK_MS);
      }
    },
    /** Nothing is folded into the read models from now on. */
    leaveModels(): void {
      areModelsWanted = false;
    },
    /** Reads on up to a position, which must be in the log. @throws CannotStart where it is told to stop */
    async upTo(to: number): Promise<void> {
      for await (const { facts, position } of store.storedUpTo({ after: at, to, atATime: AT_A_TIME, signal })) {
        const erased = await remains.between(at, position);
        findDiffering(facts, erased, findings.add);
        lookForGaps(facts);
        await scratch.add(facts, position, { erased: withoutFacts(erased, facts), areModelsWanted });
        line.add(facts.length, position);
        at = position;
      }
      if (signal.aborted) throw new CannotStart('stopped before the end');
      await scratch.whenWritten();
    },
  };
}

async function compareTree(tree: Comparison, reading: Reading, findings: Findings): Promise<void> {
  const position = tree.pin();
  if (!(await reading.reaches('the tree', position))) return;
  await reading.upTo(position);
  report('tree', tree, findings);
}

/** They are held on to only once what is made anew has nearly caught up: what they go on writing has to be kept meanwhile. */
async function compareModels(models: Comparison, reading: Reading, findings: Findings): Promise<void> {
  const before = models.position();
  if (!(await reading.reaches('the read models', before))) return;
  await reading.upTo(before);
  await reading.upTo(models.pin());
  report('read models', models, findings);
  reading.leaveModels();
}

function report(what: string, comparison: Comparison, findings: Findings): void {
  let count = 0;
  for (const difference of comparison.differences()) {
    count += 1;
    findings.add(inWords(difference));
  }
  // What is made anew goes on behind that.
  comparison.close();
  console.error(`${what}: ${count === 0 ? 'as the log makes them' : `${count} rows differ`}`);
}

/** Whether the log is still the one that it was: nothing of what it held then was changed, removed or put elsewhere. */
function checkHead(
  { file, tree_size, root_hash, at, public_key }: KeptHead,
  scratch: Scratch,
  findings: Findings,
): void {
  const size = scratch.askTree((tree) => tree.size());
  const isSame = () => scratch.askTree((tree) => tree.root(tree_size)).toString('base64') === root_hash;
  const then = `${at} (${tree_size} leaves`;
  if (tree_size > size) findings.add(`${file}: of the log of ${then}) ${size} leaves are left: facts were removed`);
  else if (isSame()) console.error(`${file}: nothing was changed since ${then}; signed with ${public_key})`);
  else findings.add(`${file}: what the log held at ${then}) was changed, removed or put in another order`);
}
