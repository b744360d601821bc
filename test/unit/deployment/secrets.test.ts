import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openClient } from '../../../infra/event-store/connection.ts';
import { readSettings } from '../../../infra/settings.ts';
import { COMPOSE_DIR, readCompose } from '../../support/compose.ts';

describe('infra/compose/make-secrets.sh', () => {
  let home: string;
  let first: ReturnType<typeof run>;

  const run = () => spawnSync('sh', [join(home, 'make-secrets.sh')], { encoding: 'utf8' });
  const secret = (name: string) => readFileSync(join(home, 'secrets', name), 'utf8');

  before(() => {
    home = mkdtempSync(join(tmpdir(), 'webhooks-secrets-'));
    copyFileSync(join(COMPOSE_DIR, 'make-secrets.sh'), join(home, 'make-secrets.sh'));
    first = run();
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  it('makes the files of all secrets, and leaves nothing else behind', () => {
    expect(first.status, first.stderr).to.equal(0);
    const files = ['compose.yaml', 'one-node.yaml'].flatMap((file) => Object.values(readCompose(file).secrets ?? {}));
    const names = files.map(({ file }) => file.replace('./secrets/', ''));
    expect(readdirSync(join(home, 'secrets'))).to.have.members([...new Set(names)]);
    expect(readdirSync(home)).to.have.members(['make-secrets.sh', 'secrets']);
  });

  it('keeps them from other users by their directory, and lets containers read them', () => {
    expect(statSync(join(home, 'secrets')).mode & 0o777).to.equal(0o700);
    for (const name of readdirSync(join(home, 'secrets'))) {
      expect(statSync(join(home, 'secrets', name)).mode & 0o777, name).to.equal(0o444);
    }
  });

  it('makes each of 32 random bytes, and none twice', () => {
    const words = readdirSync(join(home, 'secrets')).flatMap((name) => secret(name).match(/[0-9a-f]{64}/g) ?? []);
    // The password of EventStoreDB's admin is in the connection string too, that of NATS in its accounts.
    expect(words).to.have.length(8);
    expect(new Set(words)).to.have.property('size', 6);
  });

  it('makes what our nodes take, under the names that compose.yaml gives them', () => {
    const ca = join(home, 'ca.crt');
    writeFileSync(ca, '');
    const given = readCompose('compose.yaml').services['node-1']?.environment ?? {};
    const env = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        value.replace('/run/secrets', join(home, 'secrets')).replace('/authorities/nats/ca.crt', ca),
      ]),
    );
    const settings = readSettings(env);
    expect(settings.natsPassword).to.equal(secret('nats_password').trim());
    expect(secret('nats_accounts.conf')).to.include(`password: "${settings.natsPassword}"`);
    expect(settings.masterSecret).to.equal(secret('master_secret').trim());
    const url = settings.eventstoreUrl as string;
    expect(url).to.include(`://admin:${secret('eventstore_admin_password').trim()}@`);
    expect(() => openClient(url.replace('/authorities/eventstore/ca.crt', ca))).not.to.throw();
  });

  it('overwrites nothing', () => {
    const before = secret('master_secret');
    const again = run();
    expect(again.status).to.equal(1);
    expect(again.stderr).to.match(/^\S+ is there already: this overwrites nothing\n$/);
    expect(secret('master_secret')).to.equal(before);
  });
});

/** As its image would run it, with directories of ours and an es-gencert-cli that only makes files. */
describe('infra/compose/setup/setup.sh', () => {
  const GENCERT = `#!/bin/sh
kind="$1"; shift
while [ $# -gt 0 ]; do case "$1" in -out) out="$2" ;; esac; shift 2; done
mkdir "$out"
if [ "$kind" = create-ca ]; then names="ca.crt ca.key"; else names="node.crt node.key"; fi
for name in $names; do date +%N > "$out/$name"; done
`;
  let home: string;

  before(() => {
    home = mkdtempSync(join(tmpdir(), 'webhooks-setup-'));
    mkdirSync(join(home, 'bin'));
    writeFileSync(join(home, 'bin/es-gencert-cli'), GENCERT, { mode: 0o755 });
    // Only root may give a file away.
    writeFileSync(join(home, 'bin/chown'), '#!/bin/sh\necho "$@" >> "$HOME/owners"\n', { mode: 0o755 });
    for (const dir of ['authority-keys', 'authorities', 'certificates', 'data', 'tmp']) mkdirSync(join(home, dir));
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  function run(env: Record<string, string>) {
    const text = readFileSync(join(COMPOSE_DIR, 'setup/setup.sh'), 'utf8');
    const here = text.replaceAll(/(?<=["\s])\/(authority-keys|authorities|certificates|data|tmp)\//g, `${home}/$1/`);
    return spawnSync('sh', ['-c', here], {
      encoding: 'utf8',
      env: { HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}`, ...env },
    });
  }
  const content = (path: string) => readFileSync(join(home, path), 'utf8');

  it('makes two authorities, and a certificate and key for each server, which is its own to read', () => {
    const { status, stderr } = run({ RENEW: 'no' });
    expect(status, stderr).to.equal(0);
    expect(content('authorities/nats/ca.crt')).not.to.equal(content('authorities/eventstore/ca.crt'));
    for (const kind of ['eventstore', 'nats']) {
      for (const number of [1, 2, 3]) {
        const dir = join(home, 'certificates', kind, `${kind}-${number}`);
        expect(readdirSync(dir)).to.have.members(['node.crt', 'node.key']);
        expect(statSync(join(dir, 'node.key')).mode & 0o777).to.equal(0o400);
        expect(content('owners')).to.include(`1000:1000 ${dir}/node.key`);
      }
    }
    expect(readdirSync(join(home, 'authorities/nats'))).to.deep.equal(['ca.crt']);
  });

  it('makes nothing anew, unless it is told to renew: then the certificates, and not the authorities', () => {
    const paths = ['authorities/nats/ca.crt', 'certificates/nats/nats-1/node.crt'];
    const [authority, certificate] = paths.map(content);
    expect(run({ RENEW: 'no' }).status).to.equal(0);
    expect(paths.map(content)).to.deep.equal([authority, certificate]);
    expect(run({ RENEW: 'yes' }).status).to.equal(0);
    expect(content(paths[0] as string)).to.equal(authority);
    expect(content(paths[1] as string)).not.to.equal(certificate);
  });
});
