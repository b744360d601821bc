import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { UnknownError } from '@eventstore/db-client';
import { expect } from 'chai';
import {
  collect,
  connect,
  endAll,
  errorOf,
  event,
  MAIN,
  newStream,
  revisions,
  spawnChild,
  spawnServer,
  temporaryDirectory,
} from './support.ts';

const LIMIT_BLOCKS = 4_000;

/** A server whose files may not grow past 2 MB: to it, that is a full disk. `prlimit` lifts the limit while it runs. */
async function spawnLimited(dataDir: string) {
  const script = `trap '' XFSZ; ulimit -S -f ${LIMIT_BLOCKS}; exec "$0" "$@"`;
  const child = spawnChild('/bin/sh', ['-c', script, process.execPath, MAIN], {
    env: { PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [message] = await once(child, 'message');
  return { child, port: (message as { port: number }).port };
}

describe('eventstore: a full disk', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  after(endAll);

  it('fails the appends it hits, keeps what was acknowledged, and goes on when there is room', async () => {
    const dataDir = temporaryDirectory();
    const { child, port } = await spawnLimited(dataDir);
    const client = connect(port);
    const stream = newStream();
    const payload = 'x'.repeat(50_000);
    const acknowledged: string[] = [];
    let failed: unknown;
    for (let n = 0; n < 500 && !failed; n++) {
      const one = event({ payload });
      await client.appendToStream(stream, one).then(
        () => acknowledged.push(one.id),
        (error) => {
          failed = error;
        },
      );
    }
    expect(failed).to.be.instanceOf(UnknownError);
    const idsOf = async (reader: typeof client) =>
      (await collect(reader.readStream(stream))).map(({ event: recorded }) => recorded?.id);
    expect(await idsOf(client)).to.deep.equal(acknowledged);
    const tooMuch = client.appendToStream(stream, event({ payload }), {
      credentials: { username: 'a', password: 'b' },
    });
    expect(await errorOf(tooMuch)).to.be.instanceOf(UnknownError);

    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:']);
    const after = await client.appendToStream(stream, event());
    expect(Number(after.nextExpectedRevision)).to.equal(acknowledged.length);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const again = connect((await spawnServer(dataDir)).port);
    const kept = await collect(again.readStream(stream));
    expect(revisions(kept)).to.have.length(acknowledged.length + 1);
    expect(kept.slice(0, -1).map(({ event: recorded }) => recorded?.id)).to.deep.equal(acknowledged);
  });
});
