import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import {
  collect,
  connect,
  endAll,
  event,
  events,
  MAIN,
  newStream,
  spawnNode,
  spawnServer,
  startServer,
  temporaryDirectory,
} from './support.ts';

/** Starts it alone, without a channel; resolves when it is over. */
async function runAlone(env: Record<string, string>) {
  const child = spawnNode([MAIN], { env: { PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stderr as NonNullable<typeof child.stderr>),
  ]);
  return { code, stderr };
}

describe('eventstore: the process', () => {
  afterEach(endAll);

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`standing alone says its port in one line, serves, and stops on ${signal}`, async () => {
      const env = { PORT: '0', DATA_DIR: temporaryDirectory() };
      const child = spawnNode([MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
      const [, port] = /^[^\n]*?(\d+)\n$/.exec(String(line)) ?? [];
      const answer = await connect(Number(port)).appendToStream(newStream(), event());
      expect(answer.success).to.equal(true);
      child.kill(signal);
      expect((await once(child, 'exit'))[0]).to.equal(0);
    });
  }

  it('with a parent leaves SIGINT and SIGHUP to it, and stops when it is gone', async () => {
    const { child, port, exited } = await spawnServer(temporaryDirectory());
    const client = connect(port);
    await client.appendToStream(newStream(), event());
    child.kill('SIGINT');
    child.kill('SIGHUP');
    const answer = await client.appendToStream(newStream(), event());
    expect(answer.success).to.equal(true);
    child.disconnect();
    expect((await exited)[0]).to.equal(0);
  });

  it('takes the limit of an append from EVENTSTORE_MAX_APPEND_SIZE', async () => {
    const { port } = await spawnServer(temporaryDirectory(), { EVENTSTORE_MAX_APPEND_SIZE: '10' });
    const client = connect(port);
    await client.appendToStream(newStream(), event('x'.repeat(8)));
    const outcomes = await Promise.allSettled([client.appendToStream(newStream(), event('x'.repeat(9)))]);
    expect(outcomes[0]).to.have.nested.property('reason.maxAppendSize', 10);
  });

  for (const [name, value] of [
    ['PORT', 'http'],
    ['PORT', '70000'],
    ['EVENTSTORE_MAX_APPEND_SIZE', '1MB'],
  ] as const) {
    it(`refuses ${name}=${value} in one line`, async () => {
      const { code, stderr } = await runAlone({ DATA_DIR: temporaryDirectory(), [name]: value });
      expect(code).to.equal(1);
      expect(stderr).to.match(new RegExp(`^[^\\n]*${name}[^\\n]*\\n$`));
    });
  }

  it('refuses a directory that another one holds, in one line', async () => {
    const dataDir = temporaryDirectory();
    const { port } = await spawnServer(dataDir);
    const { code, stderr } = await runAlone({ DATA_DIR: dataDir });
    expect(code).to.equal(1);
    expect(stderr).to.match(/^[^\n]*another process holds it[^\n]*\n$/);
    expect((await connect(port).appendToStream(newStream(), event())).success).to.equal(true);
  });

  it('refuses a port that is taken, in one line', async () => {
    const { port } = await startServer();
    const { code, stderr } = await runAlone({ DATA_DIR: temporaryDirectory(), PORT: String(port) });
    expect(code).to.equal(1);
    expect(stderr).to.match(/^[^\n]*EADDRINUSE[^\n]*\n$/);
  });

  it('refuses a file that is no event store, in one line', async () => {
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'eventstore.db'), 'not a database at all, but long enough to be looked at'.repeat(100));
    const { code, stderr } = await runAlone({ DATA_DIR: dataDir });
    expect(code).to.equal(65);
    expect(stderr).to.match(
      /^[^\n]*eventstore\.db is damaged \(file is not a database\)[^\n]*npm run restore[^\n]*\n$/,
    );
  });

  it('refuses a torn file, in one line', async () => {
    const dataDir = temporaryDirectory();
    const { child, port, exited } = await spawnServer(dataDir);
    await connect(port).appendToStream(newStream(), events(5_000));
    child.kill('SIGTERM');
    await exited;
    truncateSync(join(dataDir, 'eventstore.db'), 100_000);
    const { code, stderr } = await runAlone({ DATA_DIR: dataDir });
    expect(code).to.equal(65);
    expect(stderr).to.match(/^[^\n]*eventstore\.db is damaged[^\n]*malformed[^\n]*\n$/);
  });

  it('refuses a directory that cannot be made, in one line', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { code, stderr } = await runAlone({ DATA_DIR: join(file, 'below') });
    expect(code).to.equal(1);
    expect(stderr).to.match(/^[^\n]*ENOTDIR[^\n]*\n$/);
  });

  it('starts again where it stopped', async () => {
    const dataDir = temporaryDirectory();
    const stream = newStream();
    const first = await spawnServer(dataDir);
    const before = await connect(first.port).appendToStream(stream, events(10));
    first.child.kill('SIGTERM');
    await first.exited;
    const client = connect((await spawnServer(dataDir)).port);
    expect(await collect(client.readStream(stream))).to.have.length(10);
    const after = await client.appendToStream(stream, event());
    expect(after.nextExpectedRevision).to.equal(10n);
    expect(after.position?.commit).to.satisfy((commit: bigint) => commit > (before.position?.commit ?? 0n));
  });
});
