import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { type Stack, startStack } from '../../support/stack.ts';

/** Addresses of this machine at which a server answers only where it listens for more than itself. */
const ELSEWHERE = [
  ...Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address),
  ),
  ...(process.platform === 'linux' ? ['127.0.0.2'] : []),
];

/** The promise: the local servers, which ask nobody for a key, are there for this machine alone. */
describe('what listens', () => {
  let stack: Stack;
  let gateway: string;
  let servers: Record<string, string>;
  before(async () => {
    stack = await startStack({ env: { HOST: '0.0.0.0' } });
    const { eventstoreUrl = '', natsUrl = '' } = await stack.run();
    gateway = stack.url;
    servers = { eventstore: eventstoreUrl, 'nats-server': natsUrl };
  });
  after(() => stack?.stop());

  async function isOpen(host: string, url: string): Promise<boolean> {
    const socket = connect(Number(new URL(url).port), host);
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return open;
  }

  it('is the gateway, where HOST says so', async () => {
    expect(ELSEWHERE).not.to.deep.equal([]);
    for (const address of ELSEWHERE) expect(await isOpen(address, gateway), address).to.equal(true);
  });

  it('is never a local server', async () => {
    for (const [name, url] of Object.entries(servers)) {
      expect(await isOpen('127.0.0.1', url), name).to.equal(true);
      for (const address of ELSEWHERE) expect(await isOpen(address, url), `${name} at ${address}`).to.equal(false);
    }
  });
});
