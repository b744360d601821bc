import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect } from 'chai';
import pino from 'pino';
import type { DestinationRules } from '../../../../infra/outbound/destinations.ts';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import { createTunnel } from '../../../../infra/outbound/tunnel.ts';
import { makeCertificates } from '../../../support/certificates.ts';
import { type ConnectProxy, startConnectProxy } from '../../../support/connect-proxy.ts';
import { destinations } from '../../../support/destinations.ts';
import { type Receiver, startReceiver } from '../../../support/receiver.ts';
import { resolverOf } from '../../../support/resolver.ts';
import { collectOutput } from '../../../support/stack.ts';

const NAMES = {
  'hooks.example': [['127.0.0.1']],
  localhost: [['127.0.0.1']],
  'private.example': [['10.0.0.1']],
  'rebinds.example': [['127.0.0.1'], ['127.0.0.3']],
  'two.example': [['::1', '127.0.0.1']],
};
const RULES = { allowedNetworks: ['127.0.0.1/32', '::1/128'] };

describe('a proxy for deliveries', () => {
  let receiver: Receiver;
  let proxy: ConnectProxy;
  let log: { level: number; msg: string }[];
  const opened: Outbound[] = [];
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());
  beforeEach(async () => {
    receiver.reset();
    log = [];
    proxy = await startConnectProxy();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((outbound) => outbound.close()));
    await proxy.close();
  });

  function outboundBy(url = proxy.url(), timeoutMs = 10_000, rules: Partial<DestinationRules> = RULES): Outbound {
    const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(JSON.parse(line)) });
    const outbound = createOutbound({
      ...{ timeoutMs, destinations: destinations(rules), resolve: resolverOf(NAMES).resolve },
      tunnel: createTunnel(url, { timeoutMs, log: logger }),
    });
    opened.push(outbound);
    return outbound;
  }

  const urlOf = (host: string) => `http://${host}:${receiver.port}/hook`;
  const post = (outbound: Outbound, url: string) => outbound.post(url, {}, Buffer.from('{}'));

  it('is asked for the address that was checked, not for the name; the receiver for the name', async () => {
    expect(await post(outboundBy(), urlOf('hooks.example'))).to.include({ status_code: 200, error: null });
    expect(proxy.asked).to.deep.equal([{ to: `127.0.0.1:${receiver.port}`, authorization: undefined }]);
    expect(receiver.hits[0]?.headers.host).to.equal(`hooks.example:${receiver.port}`);
    expect(receiver.hits[0]?.headers).not.to.have.any.keys(
      'via',
      'forwarded',
      'proxy-authorization',
      'proxy-connection',
    );
    expect(proxy.otherRequests()).to.equal(0);
  });

  it('carries several POSTs through one tunnel', async () => {
    const outbound = outboundBy();
    for (let n = 0; n < 4; n++) {
      expect((await post(outbound, urlOf('hooks.example'))).status_code).to.equal(200);
      await new Promise(setImmediate);
    }
    expect(proxy.asked).to.have.length(1);
  });

  it('is told user and password', async () => {
    await post(outboundBy(proxy.url('us%65r:p%40ss@')), urlOf('127.0.0.1'));
    expect(proxy.asked[0]?.authorization).to.equal(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  });

  it('is never asked for what must not be reached', async () => {
    const outbound = outboundBy();
    for (const host of ['private.example', '10.0.0.1', '127.0.0.2', '[::ffff:127.0.0.1]', '169.254.169.254']) {
      expect((await post(outbound, urlOf(host))).error, host).to.equal('blocked_address');
    }
    const port = outboundBy(proxy.url(), 10_000, { ...RULES, deniedPorts: [[receiver.port, receiver.port]] });
    expect((await post(port, urlOf('hooks.example'))).error).to.equal('blocked_address');
    expect(proxy.asked).to.deep.equal([]);
    expect(receiver.hits).to.deep.equal([]);
  });

  it('makes no difference to a name that changes its answer', async () => {
    const outbound = outboundBy();
    receiver.reply({ headers: { connection: 'close' } });
    expect((await post(outbound, urlOf('rebinds.example'))).status_code).to.equal(200);
    expect((await post(outbound, urlOf('rebinds.example'))).error).to.equal('blocked_address');
    expect(proxy.asked.map(({ to }) => to)).to.deep.equal([`127.0.0.1:${receiver.port}`]);
  });

  it('is asked for the next address where it cannot reach the first', async () => {
    proxy.answer((to) => (to.startsWith('[::1]') ? 502 : 200));
    expect((await post(outboundBy(), urlOf('two.example'))).status_code).to.equal(200);
    expect(proxy.asked.map(({ to }) => to)).to.deep.equal([`[::1]:${receiver.port}`, `127.0.0.1:${receiver.port}`]);
  });

  for (const [status, error] of [
    [403, 'blocked_address'],
    [502, 'connection_refused'],
    [503, 'connection_refused'],
    [504, 'timeout'],
    [407, 'connection_refused'],
  ] as const) {
    it(`that answers ${status} makes it ${error}`, async () => {
      proxy.answer(() => status);
      expect(await post(outboundBy(), urlOf('hooks.example'))).to.include({ status_code: null, error });
      expect(receiver.hits).to.deep.equal([]);
    });
  }

  it('that does not answer makes it a timeout', async () => {
    proxy.answer(() => null);
    expect((await post(outboundBy(proxy.url(), 150), urlOf('hooks.example'))).error).to.equal('timeout');
  });

  it('that cannot be used is in the log, once, and once again when it can; without its password', async () => {
    proxy.answer(() => 407);
    const outbound = outboundBy(proxy.url('user:hunter2@'));
    for (let n = 0; n < 3; n++) await post(outbound, urlOf('hooks.example'));
    proxy.answer(() => 200);
    for (let n = 0; n < 2; n++) await post(outbound, urlOf('hooks.example'));
    expect(log.map(({ level, msg }) => [level, msg])).to.deep.equal([
      [40, 'the proxy of deliveries cannot be used'],
      [30, 'the proxy of deliveries can be used again'],
    ]);
    expect(JSON.stringify(log)).not.to.contain('hunter2');
  });

  it('that nobody runs makes it connection_refused, and is in the log', async () => {
    const gone = await startConnectProxy();
    await gone.close();
    expect((await post(outboundBy(gone.url()), urlOf('hooks.example'))).error).to.equal('connection_refused');
    expect(log.map(({ msg }) => msg)).to.deep.equal(['the proxy of deliveries cannot be used']);
  });

  it('sees nothing of what TLS hides: names and certificates are checked past it', async () => {
    const certificates = await makeCertificates();
    const trusted = tls.getCACertificates('default');
    tls.setDefaultCACertificates([...trusted, readFileSync(certificates.ca, 'utf8')]);
    const servernames: unknown[] = [];
    const files = { cert: readFileSync(certificates.cert), key: readFileSync(certificates.key) };
    const server = createServer(files, (request, response) => {
      servernames.push((request.socket as tls.TLSSocket).servername);
      request.resume().on('end', () => response.end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const outbound = outboundBy();
    try {
      expect((await post(outbound, `https://localhost:${port}/`)).status_code).to.equal(200);
      expect((await post(outbound, `https://hooks.example:${port}/`)).error).to.equal('tls');
      expect(servernames).to.deep.equal(['localhost']);
      expect(proxy.asked.map(({ to }) => to)).to.deep.equal(Array(2).fill(`127.0.0.1:${port}`));
    } finally {
      tls.setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
    }
  });

  it('is none that the environment names by chance', async () => {
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
    const env = {
      ...process.env,
      ...Object.fromEntries(names.map((name) => [name, proxy.url()])),
      NO_PROXY: '',
      no_proxy: '',
      NODE_USE_ENV_PROXY: '1',
    };
    const modules = ['infra/outbound/post.ts', 'test/support/destinations.ts'].map((path) => join(process.cwd(), path));
    const program = `
      const [{ createOutbound }, { ANYWHERE }] = await Promise.all(${JSON.stringify(modules)}.map((path) => import(path)));
      const outbound = createOutbound({ timeoutMs: 10_000, destinations: ANYWHERE });
      console.log((await outbound.post(${JSON.stringify(urlOf('127.0.0.1'))}, {}, Buffer.from('{}'))).status_code);
      await outbound.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { env });
    const output = collectOutput(child);
    await once(child, 'close');
    expect(output()).to.contain('200');
    expect(receiver.hits).to.have.length(1);
    expect([proxy.asked.length, proxy.otherRequests()]).to.deep.equal([0, 0]);
  });
});
