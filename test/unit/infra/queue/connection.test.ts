import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nkeys } from 'nats';
import { connectionOptions } from '../../../../infra/queue/connection.ts';
import { SettingError } from '../../../../infra/settings.ts';

const NOTHING = {
  ...{ natsUser: undefined, natsPassword: undefined, natsCredentialsFile: undefined, natsCaFile: undefined },
};

describe('the options of a connection to NATS', () => {
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'webhooks-nats-'));
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  function credentialsFile(jwt: string, seed: string): string {
    const file = join(home, 'webhooks.creds');
    writeFileSync(file, part('NATS USER JWT', jwt) + part('USER NKEY SEED', seed));
    return file;
  }
  const part = (title: string, content: string) => `-----BEGIN ${title}-----\n${content}\n------END ${title}------\n\n`;

  it('are none where nothing is set', () => {
    expect(connectionOptions(NOTHING)).to.deep.equal({});
  });

  it('are user and password', () => {
    const access = { ...NOTHING, natsUser: 'webhooks', natsPassword: 'secret' };
    expect(connectionOptions(access)).to.deep.equal({ user: 'webhooks', pass: 'secret' });
  });

  it('are the authority that signs the servers', () => {
    const access = { ...NOTHING, natsCaFile: '/etc/ssl/nats.crt' };
    expect(connectionOptions(access)).to.deep.equal({ tls: { caFile: '/etc/ssl/nats.crt' } });
  });

  it('are credentials, which sign what the server asks, as the file is at that time', () => {
    const users = [nkeys.createUser(), nkeys.createUser()];
    const seedOf = (user: (typeof users)[0]) => new TextDecoder().decode(user.getSeed());
    const natsCredentialsFile = credentialsFile('jwt-0', seedOf(users[0]));
    const { authenticator } = connectionOptions({ ...NOTHING, natsCredentialsFile });
    for (const [index, user] of users.entries()) {
      credentialsFile(`jwt-${index}`, seedOf(user));
      const shown = authenticator?.('nonce') as { jwt: string; nkey: string; sig: string } | undefined;
      expect(shown).to.deep.include({ jwt: `jwt-${index}`, nkey: user.getPublicKey() });
      expect(user.verify(new TextEncoder().encode('nonce'), nkeys.decode(shown?.sig))).to.equal(true);
    }
  });

  for (const [what, jwt, seed] of [
    ['nothing', '', ''],
    ['a seed that is none', 'jwt', 'hunter2'],
  ] as const) {
    it(`are refused with a credentials file that holds ${what}, and do not show it`, () => {
      const natsCredentialsFile = credentialsFile(jwt, seed);
      expect(() => connectionOptions({ ...NOTHING, natsCredentialsFile }))
        .to.throw(SettingError, /^setting NATS_CREDENTIALS_FILE must/)
        .with.property('message')
        .that.does.not.contain('hunter2');
    });
  }
});
