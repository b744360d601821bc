import { once } from 'node:events';
import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { newDataDir, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import {
  collect,
  connect,
  endAll,
  errorOf,
  event,
  MAIN,
  newStream,
  spawnNode,
  spawnServer,
} from '../eventstore/support.ts';
import { run } from './command.ts';

const EVENTS = 4_000;
const ONE_LINE = /^[^\n]*eventstore\.db is damaged \([^\n]+\): restore a backup [^\n]+\n$/;

/** The promise: a store whose file is damaged is not served. At start where it shows there, else at the first read of the place. */
describe('a damaged event store', function () {
  this.timeout(60_000);
  const whole = newDataDir();
  const stream = newStream();

  before(async () => {
    const { child, port, exited } = await spawnServer(whole);
    const client = connect(port);
    for (let n = 0; n < EVENTS; n += 500) {
      await client.appendToStream(
        stream,
        Array.from({ length: 500 }, (_, i) => event({ n: n + i, text: 'x'.repeat(300) })),
      );
    }
    child.kill('SIGTERM');
    await exited;
  });
  afterEach(endAll);

  const storeIn = (dir: string) => join(dir, 'eventstore.db');

  function copyOfWhole(): string {
    const dir = newDataDir();
    copyFileSync(storeIn(whole), storeIn(dir));
    return dir;
  }

  function overwrite(file: string, at: number, bytes: Uint8Array): void {
    const fd = openSync(file, 'r+');
    writeSync(fd, bytes, 0, bytes.length, at);
    closeSync(fd);
  }

  async function start(dataDir: string) {
    const child = spawnNode([MAIN], {
      env: { PORT: '0', DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const over = Promise.all([once(child, 'exit'), text(child.stderr as NonNullable<typeof child.stderr>)]);
    const ended = over.then(([[code], stderr]) => ({ code: code as number, stderr }));
    const ready = once(child, 'message').then(([message]) => message as { port: number });
    return { child, ended, first: await Promise.race([ready, ended]) };
  }

  async function expectRefused(dataDir: string) {
    const { first } = await start(dataDir);
    expect(first).to.have.property('code', 65);
    expect((first as { stderr: string }).stderr).to.match(ONE_LINE);
  }

  const pages = () => statSync(storeIn(whole)).size / 4_096;
  const AT_START: readonly [string, (file: string) => void][] = [
    ['cut short by half', (file) => truncateSync(file, statSync(file).size / 2)],
    ['cut short by a page', (file) => truncateSync(file, statSync(file).size - 4_096)],
    ['with its header overwritten', (file) => overwrite(file, 0, Buffer.alloc(100, 7))],
    ['with its first page zeroed', (file) => overwrite(file, 0, Buffer.alloc(4_096))],
    ['with another version in its header', (file) => overwrite(file, 60, Buffer.from([0, 0, 0, 0]))],
    ['that is not SQLite', (file) => overwrite(file, 0, Buffer.from('no database'))],
    [
      'with the last event changed',
      (file) => overwrite(file, placeOf(file, `{"n":${EVENTS - 1},`) + 5, Buffer.from('7')),
    ],
  ];
  for (const [what, harm] of AT_START) {
    it(`${what} is refused at start, in one line`, async () => {
      const dir = copyOfWhole();
      harm(storeIn(dir));
      await expectRefused(dir);
    });
  }

  it('with pages overwritten anywhere is refused at start or at the first read, and never answers otherwise', async () => {
    const expected = Array.from({ length: EVENTS }, (_, n) => n);
    for (let part = 1; part < 12; part++) {
      const dir = copyOfWhole();
      const page = Math.floor((pages() * part) / 12);
      overwrite(storeIn(dir), page * 4_096, Buffer.alloc(4_096, part % 2 ? 0 : 0xa5));
      const { first, ended } = await start(dir);
      if ('port' in first) {
        const client = connect(first.port);
        const answers = await Promise.allSettled([readStream(client), readAll(client)]);
        const wrong = answers.filter((answer) => answer.status === 'fulfilled' && `${answer.value}` !== `${expected}`);
        expect(wrong, `page ${page}`).to.deep.equal([]);
        if (answers.every(({ status }) => status === 'fulfilled')) throw new Error(`page ${page} is not read at all`);
      }
      const { code, stderr } = await ended;
      expect({ page, code }).to.deep.equal({ page, code: 65 });
      expect(stderr).to.match(ONE_LINE);
      await expectRefused(dir);
    }
  });

  type Client = ReturnType<typeof connect>;
  const numbers = (read: { event?: { data: unknown } | undefined }[]) =>
    read.flatMap(({ event: recorded }) => (recorded?.data as { n?: number })?.n ?? []);
  const readStream = async (client: Client) => numbers(await collect(client.readStream(stream)));
  const readAll = async (client: Client) => numbers(await collect(client.readAll()));

  it('with one digit changed in the middle stops at the first read, and refuses to start from then on', async () => {
    const dir = copyOfWhole();
    overwrite(storeIn(dir), placeOf(storeIn(dir), '{"n":1777,') + 5, Buffer.from('2'));
    const { first, ended } = await start(dir);
    await errorOf(readStream(connect((first as { port: number }).port)));
    const { code, stderr } = await ended;
    expect(code).to.equal(65);
    expect(stderr).to.match(ONE_LINE).and.include('is not what was written');
    await expectRefused(dir);
  });

  it('with a write-ahead log that is overwritten in the middle is refused; one that is torn at its end is not', async () => {
    const dir = newDataDir();
    const { child, port, exited } = await spawnServer(dir);
    const client = connect(port);
    for (let n = 0; n < 50; n++) await client.appendToStream(stream, event({ n }));
    child.kill('SIGKILL');
    await exited;
    const torn = newDataDir();
    for (const suffix of ['', '-wal']) copyFileSync(storeIn(dir) + suffix, storeIn(torn) + suffix);
    const wal = `${storeIn(dir)}-wal`;
    truncateSync(`${storeIn(torn)}-wal`, statSync(wal).size - 1_000);
    const again = connect((await spawnServer(torn)).port);
    expect(await readStream(again)).to.deep.equal(Array.from({ length: 49 }, (_, n) => n));

    overwrite(wal, Math.floor(statSync(wal).size / 2), Buffer.alloc(512, 0xa5));
    await expectRefused(dir);
    await expectRefused(dir);
  });

  it('under the whole stack stops it with that line, and is not started again and again', async () => {
    const stack = await startStack();
    const api = apiAt(stack.url);
    const channel = await api.newChannel();
    for (let n = 0; n < 600; n++) await api.publish(channel, { data: { text: `digits of ${n}` } });
    expect(await stack.stop()).to.equal(0);
    const file = storeIn(join(stack.dataDir, 'eventstore'));
    overwrite(file, placeOf(file, 'digits of 77"'), Buffer.from('D'));
    const again = await startStack({ dataDir: stack.dataDir });
    const client = connect(Number(new URL((await again.run()).eventstoreUrl as string).port));
    await errorOf(collect(client.readStream(`events-${channel.id}`)));
    await waitFor('the end of the stack', async () => (await again.run()).processes.length === 0);
    expect(await again.stop()).to.equal(1);
    expect(again.output()).to.match(/^eventstore: \S*eventstore\.db is damaged \([^\n]+\): restore a backup/m);
    expect(again.output()).not.to.include('eventstore ended');
  });

  it('is found by check-store wherever the damage lies, which also takes its note away once the file is whole', async () => {
    const dataDir = newDataDir();
    const stack = await startStack({ dataDir });
    await apiAt(stack.url).newChannel();
    await stack.stop();
    const file = storeIn(join(dataDir, 'eventstore'));
    const good = readFileSync(file);
    overwrite(file, placeOf(file, '"a channel"'), Buffer.from('"A'));
    const bad = await run('check-store', dataDir);
    expect(bad.code).to.equal(1);
    expect(bad.stderr).to.match(ONE_LINE);
    overwrite(file, 0, good);
    expect((await run('check-store', dataDir)).code).to.equal(0);
  });

  function placeOf(file: string, part: string): number {
    const at = readFileSync(file).indexOf(part);
    if (at < 0) throw new Error(`${part} is not in ${file}`);
    return at;
  }
});

describe('a store of before there were checksums', () => {
  afterEach(endAll);

  it('is served as it is, and what is written from then on has them', async () => {
    const dir = newDataDir();
    const first = await spawnServer(dir);
    const stream = newStream();
    await connect(first.port).appendToStream(stream, event({ n: 1 }));
    first.child.kill('SIGTERM');
    await first.exited;
    const old = new DatabaseSync(join(dir, 'eventstore.db'));
    old.exec('ALTER TABLE events DROP COLUMN checksum; PRAGMA user_version = 1');
    old.close();
    const { child, port, exited } = await spawnServer(dir);
    const client = connect(port);
    await client.appendToStream(stream, event({ n: 2 }));
    expect(await collect(client.readStream(stream))).to.have.length(2);
    child.kill('SIGTERM');
    await exited;
    const now = new DatabaseSync(join(dir, 'eventstore.db'));
    const summed = now.prepare('SELECT checksum IS NOT NULL AS is_summed FROM events ORDER BY position').all();
    now.close();
    expect(summed.map(({ is_summed }) => is_summed)).to.deep.equal([0, 0, 1]);
  });
});
