import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { useStack } from '../api/support.ts';

const run = promisify(execFile);
const CLIENT = resolve('clients/typescript');

const CONSUMER = `
import { createClient, isProblem, verify, type Event, type NewEvent } from 'webhooks-client';

const client = createClient({ baseUrl: 'http://127.0.0.1:8080', key: 'pk_' });
const event: NewEvent = { event_name: 'a' };
export const published: Promise<Event> = client.events.publish(1, event);
export const names: Promise<string[]> = Array.fromAsync(client.webhooks.list(1), ({ webhook_url }) => webhook_url);
export const is: boolean = isProblem(new Error(), 'guid-taken');
export const delivered: Promise<{ id: string; event: Event }> = verify('whsec_', { headers: {}, body: '' });
// @ts-expect-error an event has a name
client.events.publish(1, {});
`;

/** The promise: what would be published works in a directory that knows nothing of this project. */
describe('the client, packed', function () {
  this.timeout(120_000);
  const { call, newChannel, url } = useStack();
  let home: string;
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'webhooks-packed-'));
    await run('npm', ['pack', '--no-ignore-scripts', '--pack-destination', home], { cwd: CLIENT });
    const [tarball = ''] = readdirSync(home);
    writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }');
    const args = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', `./${tarball}`];
    await run('npm', args, { cwd: home });
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const installed = (file: string) => join(home, 'node_modules/webhooks-client', file);

  it('brings nothing else with it, and all that it needs', () => {
    expect(readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'))).to.deep.equal([
      'webhooks-client',
    ]);
    const files = readdirSync(installed('.')).sort();
    expect(files).to.deep.equal(['LICENSE', 'README.md', 'dist', 'examples', 'package.json']);
    for (const name of ['index', 'client', 'verify']) {
      expect(readFileSync(installed(`dist/${name}.js`), 'utf8')).not.to.match(/from '[^']*\.ts'/);
    }
  });

  it('publishes', async () => {
    const { id, publisher_key } = await newChannel();
    const env = { ...process.env, BASE_URL: url(), CHANNEL: String(id), PUBLISHER_KEY: publisher_key };
    const { stdout } = await run(process.execPath, [installed('examples/publish.mjs')], { cwd: home, env });
    const [event] = (await call('GET', `/v1/channels/${id}/events`, { key: publisher_key })).body;
    expect(stdout).to.equal(`published ${event.id}\n`);
  });

  it('has types that hold', async () => {
    mkdirSync(join(home, 'consumer'));
    writeFileSync(join(home, 'consumer/consumer.ts'), CONSUMER);
    const args = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'esnext',
      '--lib',
      'esnext,dom',
      '--types',
      '',
      'consumer.ts',
    ];
    const checked = run(resolve('node_modules/.bin/tsc'), args, { cwd: join(home, 'consumer') });
    const said = await checked.then(
      () => '',
      ({ stdout }) => stdout,
    );
    expect(said).to.equal('');
  });
});
