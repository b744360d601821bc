import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { newDataDir, startStack } from '../../support/stack.ts';
import { launch, whenGone } from './launch.ts';

/** What cannot work is refused at once, in one line that says what to do. */
describe('a start that cannot work', () => {
  async function expectRefused(line: RegExp, settings: Record<string, string>, roles: readonly string[] = []) {
    const launched = launch(['services/main.ts', ...roles], { DATA_DIR: newDataDir(), ...settings });
    const tree = launched.tree();
    expect(await launched.exited, launched.output()).to.equal(roles.length > 0 ? 78 : 1);
    await whenGone(tree);
    const lines = launched.output().trimEnd().split('\n');
    // What the supervisor says as it goes has a time in front.
    expect(lines.filter((text) => !/^\d{4}-\d\d-\d\dT/.test(text))).to.have.length(1);
    expect(lines.at(-1)).to.match(line);
  }

  it('on a directory that another run uses', async () => {
    const stack = await startStack();
    await expectRefused(/^DATA_DIR .* is in use by another run/, { DATA_DIR: stack.dataDir });
    expect(await stack.stop()).to.equal(0);
  });

  it('on a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expectRefused(new RegExp(`^port ${port} is in use: .* PORT`), { PORT: `${port}` });
    server.close();
  });

  it('on an address of another machine', () =>
    expectRefused(/cannot listen on HOST 192\.0\.2\.1/, { HOST: '192.0.2.1' }));

  it('with a setting that does not parse', () =>
    expectRefused(/^setting RETRY_INTERVAL must be/, { RETRY_INTERVAL: 'soon' }));

  it('with a master secret that is cut short', async () => {
    const dataDir = newDataDir();
    writeFileSync(join(dataDir, 'master_secret'), 'abc');
    await expectRefused(/master_secret is damaged/, { DATA_DIR: dataDir });
  });

  it('on a path that is no directory', async () => {
    const file = join(newDataDir(), 'file');
    writeFileSync(file, '');
    await expectRefused(/^DATA_DIR .* cannot be used/, { DATA_DIR: file });
  });

  it('of a service that there is not', () => expectRefused(/^no such service/, {}, ['gatewya']));

  for (const missing of ['EVENTSTORE_URL', 'NATS_URL', 'MASTER_SECRET']) {
    it(`of a service without ${missing}`, () => {
      const all = {
        EVENTSTORE_URL: 'esdb://127.0.0.1:1?tls=false',
        NATS_URL: 'nats://127.0.0.1:1',
        MASTER_SECRET: '0123456789abcdef0123456789abcdef',
      };
      return expectRefused(new RegExp(`^setting ${missing} is needed`), { ...all, [missing]: '' }, ['gateway']);
    });
  }
});
