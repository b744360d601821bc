import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createChild } from '../../../infra/local/child.ts';
import { createPort, freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { apiAt } from '../../support/api.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { atEnd, endAll, spawnServer, temporaryDirectory } from '../eventstore/support.ts';
import { type Assembled, assemble } from './image.ts';

const LOOPBACK = '127.0.0.1';
const ADMIN_KEY = 'an admin key of a test';

/**
 * The promise: what the Dockerfile puts together starts as it says, with production dependencies alone, from files that it cannot write, as a user who is
 * not root, and its secrets in files. No image is built: that is done here by hand.
 */
describe('an image', function () {
  this.timeout(90_000);
  afterEach(endAll);

  type Running = ReturnType<Assembled['start']>;

  async function expectServing(
    image: Assembled,
    settings: Record<string, string>,
    whileRunning: (running: Running) => void = () => {},
  ): Promise<void> {
    const port = await freePort(LOOPBACK);
    const filesBefore = image.files();
    const running = image.start({
      ...settings,
      PORT: `${port}`,
      ADMIN_KEY_FILE: image.secretFile('admin_key', ADMIN_KEY),
    });
    let code: number | undefined;
    running.exited.then((exitCode) => {
      code = exitCode;
    });
    atEnd(() => (code === undefined ? running.stop() : undefined));

    const url = `http://${LOOPBACK}:${port}`;
    const isReady = () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitFor('it to be ready', async () => (await isReady()) || code !== undefined);
    expect(code, running.output()).to.equal(undefined);
    expect(running.health()).to.equal(0);

    const { call } = apiAt(url);
    expect((await call('POST', '/v1/channels', { json: { name: 'a channel' } })).status).to.equal(401);
    const made = await call('POST', '/v1/channels', { key: ADMIN_KEY, json: { name: 'a channel' } });
    expect(made.status, JSON.stringify(made.body)).to.equal(201);

    whileRunning(running);
    expect(await running.stop(), running.output()).to.equal(0);
    expect(running.health()).to.equal(1);
    expect(image.files()).to.equal(filesBefore);
    expect(readdirSync(running.dataDir).filter((name) => /^read-models-v\d+\.db$/.test(name))).to.have.length(1);
  }

  function assembled(name: string): Assembled {
    const image = assemble(name);
    atEnd(() => image.remove());
    return image;
  }

  it('of a node in a cluster serves, on servers that are there, and stops in order', async () => {
    const { port } = await spawnServer(temporaryDirectory());
    const natsPort = createPort(() => freePort(LOOPBACK));
    const broker = createChild(natsServer(newDataDir(), natsPort), { say: () => {}, changed: () => {} });
    atEnd(() => broker.stop(5_000));
    await broker.start();

    const image = assembled('node');
    await expectServing(image, {
      EVENTSTORE_URL_FILE: image.secretFile('eventstore_url', `esdb://${LOOPBACK}:${port}?tls=false`),
      NATS_URL: `nats://${LOOPBACK}:${natsPort.current()}`,
      MASTER_SECRET_FILE: image.secretFile('master_secret', 'm'.repeat(64)),
      NODE_NUMBER: '1',
    });
  });

  it('of one node serves, on local servers of its own, is backed up, and stops in order', async () => {
    const [, command = ''] =
      /exec webhooks node (.*) \/data\/backup\.db$/m.exec(readFileSync('docs/deployment.md', 'utf8')) ?? [];
    await expectServing(assembled('one-node'), { ALLOW_PRIVATE_NETWORKS: 'false' }, ({ exec, dataDir }) => {
      const { status, stdout, stderr } = exec(...command.split(' '), join(dataDir, 'backup.db'));
      expect(status, stderr).to.equal(0);
      expect(stdout).to.include('it holds the master secret too');
    });
  });
});
