import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { connect } from 'nats';
import { pino } from 'pino';
import { freePort } from '../../../infra/local/free-port.ts';
import { connectQueue } from '../../../infra/queue/client.ts';
import { connectionOptions } from '../../../infra/queue/connection.ts';
import { readSettings } from '../../../infra/settings.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { readCompose, textOf } from '../../support/compose.ts';
import { waitFor } from '../../support/wait.ts';
import { atEnd, endAll, errorOf, spawnChild, temporaryDirectory } from '../eventstore/support.ts';

const LOOPBACK = '127.0.0.1';
const NAMES = Object.keys(readCompose('compose.yaml').services).filter((name) => /^nats-\d$/.test(name));
const PASSWORD = 'the password of a test';

interface Ports {
  readonly client: number;
  readonly health: number;
  readonly route: number;
}

/** The promise: NATS as infra/compose sets it up becomes a cluster over TLS, and takes nobody but who has our password and trusts its authority. */
describe('the NATS cluster of infra/compose', function () {
  this.timeout(90_000);
  let certificates: Certificates;
  let servers: Record<string, Ports>;

  before(async () => {
    certificates = await makeCertificates();
    servers = {};
    for (const name of NAMES) servers[name] = await newPorts();
    for (const name of NAMES) startServer(name);
    for (const { health } of Object.values(servers)) {
      const isHealthy = () =>
        fetch(`http://${LOOPBACK}:${health}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        );
      await waitFor('a healthy server', isHealthy);
    }
  });
  after(endAll);

  const newPorts = async (): Promise<Ports> => ({
    client: await freePort(LOOPBACK),
    health: await freePort(LOOPBACK),
    route: await freePort(LOOPBACK),
  });

  /** The same file, with addresses of this machine. */
  function startServer(name: string): void {
    const dir = temporaryDirectory();
    const { client, health, route } = servers[name] as Ports;
    let config = textOf('nats/nats.conf')
      .replace('0.0.0.0:4222', `${LOOPBACK}:${client}`)
      .replace('0.0.0.0:8222', `${LOOPBACK}:${health}`)
      .replace('0.0.0.0:6222', `${LOOPBACK}:${route}`)
      .replace('/authorities/nats/ca.crt', certificates.ca)
      .replace('"/data"', JSON.stringify(join(dir, 'data')));
    for (const [other, ports] of Object.entries(servers))
      config = config.replace(`${other}:6222`, `${LOOPBACK}:${ports.route}`);
    mkdirSync(join(dir, 'data'));
    writeFileSync(join(dir, 'nats.conf'), config);
    writeFileSync(
      join(dir, 'accounts.conf'),
      `authorization { users: [{ user: webhooks, password: "${PASSWORD}" }] }\n`,
    );
    const env = {
      PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin`,
      ...{ SERVER_NAME: name, CERTIFICATE_FILE: certificates.cert, KEY_FILE: certificates.key },
    };
    spawnChild('nats-server', ['-c', join(dir, 'nats.conf')], { env, stdio: 'ignore' });
  }

  const urlOf = (name: string) => `nats://${LOOPBACK}:${servers[name]?.client}`;
  const accessWith = (env: Record<string, string>) =>
    connectionOptions(readSettings({ NATS_URL: 'nats://ours', ...env }));
  const ours = () => ({ NATS_USER: 'webhooks', NATS_PASSWORD: PASSWORD, NATS_CA_FILE: certificates.ca });

  it('is one cluster of all servers', async () => {
    for (const name of NAMES) {
      const nc = await connect({ servers: urlOf(name), ...accessWith(ours()) });
      const { cluster, server_name, tls_required } = nc.info as typeof nc.info & { server_name: string };
      expect({ cluster, server_name, tls_required }).to.deep.equal({
        cluster: 'webhooks',
        server_name: name,
        tls_required: true,
      });
      await nc.close();
    }
  });

  it('keeps our queue', async () => {
    const log = pino({ level: 'silent' });
    const access = accessWith(ours());
    const [first = '', second = ''] = NAMES;
    const queue = await connectQueue(urlOf(first), { ackWaitMs: 10_000, log, access });
    atEnd(() => queue.close());
    await queue.ensure();
    expect(await queue.publish({ event_id: 1, webhook_id: 2, position: 3 }, '1-2')).to.equal(1);

    const nobody = `tls://${LOOPBACK}:${await freePort(LOOPBACK)}`;
    const other = await connectQueue(`${nobody},${urlOf(second)}`, { ackWaitMs: 10_000, log, access });
    atEnd(() => other.close());
    expect((await other.state()).lastSequence).to.equal(1);
  });

  it('refuses who has another password, or none', async () => {
    const { NATS_CA_FILE } = ours();
    for (const env of [{ NATS_CA_FILE }, { ...ours(), NATS_PASSWORD: 'another' }]) {
      const error = await errorOf(
        connect({ servers: urlOf(NAMES[0] as string), ...accessWith(env), reconnect: false }),
      );
      expect(error.message).to.match(/authorization violation/i);
    }
  });

  it('is refused by who trusts another authority', async () => {
    const other = await makeCertificates();
    const access = accessWith({ ...ours(), NATS_CA_FILE: other.ca });
    const error = await errorOf(connect({ servers: urlOf(NAMES[0] as string), ...access, reconnect: false }));
    expect(error.message).to.match(/certificate/i);
  });
});
