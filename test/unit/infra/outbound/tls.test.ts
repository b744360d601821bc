import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import tls, { type TlsOptions } from 'node:tls';
import { expect } from 'chai';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import { type Certificates, makeCertificates } from '../../../support/certificates.ts';
import { ANYWHERE } from '../../../support/destinations.ts';
import { resolverOf } from '../../../support/resolver.ts';

interface Greeting {
  readonly servername: string | false;
  readonly protocols: readonly string[];
}

describe('TLS', () => {
  let certificates: Certificates;
  let trusted: string[];
  let outbound: Outbound;
  let server: Server | undefined;
  const greetings: Greeting[] = [];
  let posts = 0;

  before(async () => {
    certificates = await makeCertificates();
    trusted = tls.getCACertificates('default');
  });
  beforeEach(() => {
    greetings.length = 0;
    posts = 0;
    tls.setDefaultCACertificates([...trusted, readFileSync(certificates.ca, 'utf8')]);
    const { resolve } = resolverOf({
      localhost: [['127.0.0.1']],
      'localhost.': [['127.0.0.1']],
      'other.example': [['127.0.0.1']],
    });
    outbound = createOutbound({ timeoutMs: 10_000, destinations: ANYWHERE, resolve });
  });
  afterEach(async () => {
    await outbound.close();
    tls.setDefaultCACertificates(trusted);
    server?.close();
  });

  async function start(options: TlsOptions = {}): Promise<number> {
    const files = { cert: readFileSync(certificates.cert), key: readFileSync(certificates.key) };
    const https = createServer(
      {
        ...files,
        ...options,
        ALPNCallback: ({ servername, protocols }) => {
          greetings.push({ servername, protocols });
          return protocols.includes('http/1.1') ? 'http/1.1' : undefined;
        },
      },
      (request, response) => {
        posts += 1;
        request.resume().on('end', () => response.end('ok'));
      },
    );
    server = https.listen(0, '127.0.0.1');
    await once(https, 'listening');
    return (https.address() as AddressInfo).port;
  }

  const post = (host: string, port: number) => outbound.post(`https://${host}:${port}/`, {}, Buffer.from('{}'));

  async function expectRefused(host: string, port: number) {
    expect(await post(host, port)).to.include({ status_code: null, error: 'tls' });
    expect(posts).to.equal(0);
  }

  it('names the host as it greets (SNI), without the dot at its end, and speaks HTTP/1.1 alone', async () => {
    const port = await start();
    for (const host of ['localhost', 'localhost.']) expect((await post(host, port)).status_code, host).to.equal(200);
    expect(greetings).to.deep.equal(Array(2).fill({ servername: 'localhost', protocols: ['http/1.1'] }));
  });

  it('names no address', async () => {
    expect((await post('127.0.0.1', await start())).status_code).to.equal(200);
    expect(greetings.map(({ servername }) => servername || undefined)).to.deep.equal([undefined]);
  });

  it('refuses a certificate for another name', async () => expectRefused('other.example', await start()));

  it('refuses a certificate that nobody trusted has signed', async () => {
    tls.setDefaultCACertificates(trusted);
    await expectRefused('localhost', await start());
  });

  it('refuses it as well where the environment says not to look', async () => {
    tls.setDefaultCACertificates(trusted);
    const port = await start();
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await expectRefused('localhost', port);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it('refuses versions before 1.2, whatever the default of this process', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const port = await start(old);
    const client = tls.connect({ ...old, port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    expect(client.getProtocol()).to.equal('TLSv1.1');
    client.destroy();
    const before = tls.DEFAULT_MIN_VERSION;
    tls.DEFAULT_MIN_VERSION = 'TLSv1';
    try {
      await expectRefused('localhost', port);
    } finally {
      tls.DEFAULT_MIN_VERSION = before;
    }
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`takes ${version}`, async () => {
      const port = await start({ minVersion: version, maxVersion: version });
      expect((await post('localhost', port)).status_code).to.equal(200);
    });
  }

  it('is given up where the greeting is not answered in time', async () => {
    await outbound.close();
    outbound = createOutbound({ timeoutMs: 100, destinations: ANYWHERE });
    server = createTcpServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await post('127.0.0.1', port)).to.include({ status_code: null, error: 'timeout' });
  });
});
