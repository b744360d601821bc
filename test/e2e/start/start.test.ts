import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { newDataDir, type Stack, startStack } from '../../support/stack.ts';

const TAKE_PORT_ONCE = join(import.meta.dirname, '../../support/take-port-once.ts');

describe('npm start', () => {
  const dataDir = newDataDir();
  let stack: Stack;
  let channel: { id: number; publisher_key: string };

  afterEach(async () => {
    await stack?.stop();
  });

  it('brings everything up with nothing there, and says where it is', async () => {
    stack = await startStack({ dataDir });
    channel = await apiAt(stack.url).newChannel();
    expect(stack.output())
      .to.include(`Open      ${stack.url}`)
      .and.include(`curl -X POST ${stack.url}/v1/channels -d "name=my first channel"`)
      .and.include(`Data in   ${dataDir}`)
      .and.include('ALLOW_PRIVATE_NETWORKS');
    const names = (await stack.processes()).map(({ name }) => name);
    expect(names).to.have.members([
      'supervisor',
      'nats-server',
      'eventstore',
      'gateway',
      'delivery',
      'projector+relay',
    ]);
  });

  it('goes on from there the next time, with the same keys', async () => {
    stack = await startStack({ dataDir });
    const { status } = await apiAt(stack.url).call('GET', `/v1/channels/${channel.id}`, { key: channel.publisher_key });
    expect(status).to.equal(200);
  });

  it('keeps the master secret and what is stored from other users', () => {
    const modeOf = (path: string) => statSync(join(dataDir, path)).mode & 0o777;
    expect(modeOf('master_secret')).to.equal(0o600);
    expect(modeOf('nats/nats-server.conf')).to.equal(0o600);
  });

  it('starts no server where the settings, or the files that they name, name one', async () => {
    const servers = await startStack();
    const { eventstoreUrl, natsUrl } = await servers.run();
    const given = { EVENTSTORE_URL: eventstoreUrl as string, NATS_URL: natsUrl as string };
    const secrets = { ...given, MASTER_SECRET: '0123456789abcdef0123456789abcdef' };
    const files = Object.entries(secrets).map(([name, value]) => [`${name}_FILE`, fileOf(name, value)]);
    for (const env of [given, Object.fromEntries(files)]) {
      stack = await startStack({ env });
      const names = (await stack.processes()).map(({ name }) => name);
      expect(names).to.have.members(['supervisor', 'gateway', 'delivery', 'projector+relay']);
      expect((await apiAt(stack.url).call('POST', '/v1/channels', { json: { name: 'a channel' } })).status).to.equal(
        201,
      );
      await stack.stop();
    }
    expect(await servers.stop()).to.equal(0);
  });

  it('takes another port for the gateway where the one that it had chosen is taken before it listens', async () => {
    const takenPort = join(newDataDir(), 'taken-port');
    stack = await startStack({ env: { NODE_OPTIONS: `--import ${TAKE_PORT_ONCE}`, TAKEN_PORT: takenPort } });
    const taken = readFileSync(takenPort, 'utf8');
    expect(new URL(stack.url).port).to.not.equal(taken);
    expect(stack.output()).to.include(`port ${taken} is in use`).and.include(`Open      ${stack.url}`);
    expect(await apiAt(stack.url).newChannel()).to.have.property('id');
  });

  function fileOf(name: string, content: string): string {
    const file = join(newDataDir(), name);
    writeFileSync(file, `${content}\n`);
    return file;
  }
});
