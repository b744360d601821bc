import { isIP } from 'node:net';
import { expect } from 'chai';
import ipaddr from 'ipaddr.js';
import { isHttpUrl } from '../../../../domain/fields.ts';
import type { DestinationRules } from '../../../../infra/outbound/destinations.ts';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import type { Resolver } from '../../../../infra/outbound/resolver.ts';
import { destinations } from '../../../support/destinations.ts';
import { type Receiver, startReceiver } from '../../../support/receiver.ts';
import { resolverOf } from '../../../support/resolver.ts';
import { SPECIAL_PURPOSE } from '../../../support/special-purpose.ts';
import { malformedUrls, TRICKY_NAMES, trickyUrls } from '../../../support/tricky-urls.ts';

const HEADERS = { 'content-type': 'application/json' };
const BODY = Buffer.from('{}');

describe('where deliveries may go', () => {
  /** Listens at every address of this machine, IPv4 and IPv6. */
  let receiver: Receiver;
  const opened: Outbound[] = [];
  before(async () => {
    receiver = await startReceiver({ host: '::' });
  });
  after(() => receiver.close());
  beforeEach(() => receiver.reset());
  afterEach(() => Promise.all(opened.splice(0).map((outbound) => outbound.close())));

  function outboundOf(rules: Partial<DestinationRules>, resolve?: Resolver): Outbound {
    const outbound = createOutbound({
      timeoutMs: 10_000,
      destinations: destinations(rules),
      ...(resolve && { resolve }),
    });
    opened.push(outbound);
    return outbound;
  }

  const urlOf = (host: string) => `http://${isIP(host) === 6 ? `[${host}]` : host}:${receiver.port}/`;
  const post = (outbound: Outbound, url: string) => outbound.post(url, HEADERS, BODY);

  /** Those of `urls` that were not blocked. Nothing may have reached this machine, whatever was said of it. */
  async function unblocked(outbound: Outbound, urls: readonly string[]): Promise<string[]> {
    const before = receiver.connections();
    const answers = await Promise.all(urls.map(async (url) => ({ url, error: (await post(outbound, url)).error })));
    expect(receiver.connections()).to.equal(before);
    return answers.filter(({ error }) => error !== 'blocked_address').map(({ url }) => url);
  }

  describe('is none of the special-purpose addresses', () => {
    for (const [network, purpose] of Object.entries(SPECIAL_PURPOSE)) {
      it(`${network}, ${purpose}`, async () => {
        expect(await unblocked(outboundOf({}), samplesOf(network).map(urlOf))).to.deep.equal([]);
      });
    }

    it('nor what carries one of IPv4, in any prefix there is for that', async () => {
      const networks = Object.keys(SPECIAL_PURPOSE).filter((network) => !network.includes(':'));
      const urls = networks.flatMap(samplesOf).flatMap(carriersOf).map(urlOf);
      expect(urls).to.have.length.above(400);
      expect(await unblocked(outboundOf({}), urls)).to.deep.equal([]);
    });

    it('nor what a name stands for', async () => {
      const addresses = Object.keys(SPECIAL_PURPOSE).flatMap(samplesOf);
      const names = Object.fromEntries(addresses.map((address, n) => [`n${n}.example`, [[address]]]));
      const { resolve } = resolverOf(names);
      expect(await unblocked(outboundOf({}, resolve), Object.keys(names).map(urlOf))).to.deep.equal([]);
    });
  });

  describe('is not what a tricky URL leads to', () => {
    const resolver = () =>
      resolverOf(Object.fromEntries(Object.entries(TRICKY_NAMES).map(([name, all]) => [name, [all]])));

    it('all of them, and nothing reaches this machine', async () => {
      const urls = trickyUrls(receiver.port);
      expect(urls).to.have.length.above(60);
      expect(await unblocked(outboundOf({}, resolver().resolve), urls)).to.deep.equal([]);
    });

    it('though dozens of them would reach it', async () => {
      const open = outboundOf(
        { allowPrivateNetworks: true, deniedNetworks: ['10.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16'] },
        resolver().resolve,
      );
      const here = trickyUrls(receiver.port).filter((url) => url.startsWith('http:') && isLoopback(url));
      const answers = await Promise.all(here.map(async (url) => ({ url, ...(await post(open, url)) })));
      expect(answers.filter(({ status_code }) => status_code !== 200).map(({ url }) => url)).to.deep.equal([]);
      expect(here).to.have.length.above(40);
    });

    it('and what parsers disagree about is no URL here', () => {
      const urls = malformedUrls(receiver.port);
      const objection = destinations().objection;
      expect(urls.filter((url) => isHttpUrl(url) && objection(url) === undefined)).to.deep.equal([]);
    });
  });

  describe('with a name that changes its answer', () => {
    // Both are this machine; what is told apart is whether they may be reached.
    const ALLOWED = { allowedNetworks: ['127.0.0.2/32'] };

    it('is only where the address that is dialled may be reached', async () => {
      const { resolve, asked } = resolverOf({
        'rebinds.example': [['127.0.0.2'], ['127.0.0.1'], ['127.0.0.2', '127.0.0.1'], ['127.0.0.1']],
      });
      const outbound = outboundOf(ALLOWED, resolve);
      // Each on a connection of its own, so that each asks the resolver.
      receiver.reply({ headers: { connection: 'close' } });
      const url = urlOf('rebinds.example');
      const errors = [];
      for (let n = 0; n < 4; n++) errors.push((await post(outbound, url)).error);
      expect(errors).to.deep.equal([null, 'blocked_address', null, 'blocked_address']);
      expect(asked()).to.equal(4);
      expect(receiver.localAddresses()).to.deep.equal(['127.0.0.2', '127.0.0.2']);
    });

    it('keeps the address that was checked for as long as the connection is used again', async () => {
      const { resolve, asked } = resolverOf({ 'rebinds.example': [['127.0.0.2'], ['127.0.0.1']] });
      const outbound = outboundOf(ALLOWED, resolve);
      for (let n = 0; n < 5; n++) {
        expect((await post(outbound, urlOf('rebinds.example'))).error).to.equal(null);
        await whenGivenBack();
      }
      expect(receiver.localAddresses()).to.deep.equal(Array(5).fill('127.0.0.2'));
      expect(asked()).to.equal(1);
    });

    it('is never an address that may not be reached among others that may', async () => {
      const { resolve } = resolverOf({ 'mixed.example': [['10.0.0.1', '127.0.0.1', '::1', '127.0.0.2']] });
      expect((await post(outboundOf(ALLOWED, resolve), urlOf('mixed.example'))).error).to.equal(null);
      expect(receiver.localAddresses()).to.deep.equal(['127.0.0.2']);
    });
  });

  it('is no denied port, by name or address', async () => {
    const { resolve } = resolverOf({ 'a.example': [['127.0.0.1']] });
    const port = receiver.port;
    for (const deniedPorts of [[[port, port]], [[port - 1, port + 1]]] as const) {
      const outbound = outboundOf({ allowPrivateNetworks: true, deniedPorts }, resolve);
      expect(await unblocked(outbound, [urlOf('127.0.0.1'), urlOf('a.example')])).to.deep.equal([]);
    }
  });
});

/** Resolves when the connection of an answer that has just come is back in the pool. */
const whenGivenBack = () => new Promise(setImmediate);

/** The first, the last and some addresses between them. */
function samplesOf(network: string): string[] {
  const [base, bits] = ipaddr.parseCIDR(network);
  const first = base.toByteArray();
  const filled = (fill: (n: number) => number) => {
    const bytes = first.map((byte, n) => {
      const free = 8 - Math.min(8, Math.max(0, bits - n * 8));
      return byte | (fill(n) & ((1 << free) - 1));
    });
    return textOf(bytes);
  };
  const samples = [() => 0, () => 0xff, () => 0xaa, () => 0x55, (n: number) => (n === first.length - 1 ? 1 : 0)];
  return [...new Set(samples.map(filled))];
}

/** Without dots in IPv6: every group is there. */
function textOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, n) =>
    (((bytes[n * 2] as number) << 8) | (bytes[n * 2 + 1] as number)).toString(16),
  ).join(':');
}

/** An IPv4 address in every form of IPv6 that has room for one. */
function carriersOf(ipv4: string): string[] {
  const octets = ipv4.split('.').map(Number);
  const groups = (bytes: readonly number[]) =>
    textOf([...Array(12).fill(0), ...bytes])
      .split(':')
      .slice(6)
      .join(':');
  const plain = groups(octets);
  const inverted = groups(octets.map((octet) => octet ^ 0xff));
  return [
    ...[
      `::ffff:${ipv4}`,
      `::ffff:${plain}`,
      `::${plain}`,
      `::ffff:0:${plain}`,
      `64:ff9b::${plain}`,
      `64:ff9b:1::${plain}`,
    ],
    ...[`2002:${plain}::1`, `2001:0:${plain}::1`, `2001:0:808:808:0:ffff:${inverted}`, `fe80::5efe:${plain}`],
    ...[`2001:4860::5efe:${plain}`, `2001:4860::200:5efe:${plain}`],
  ];
}

function isLoopback(url: string): boolean {
  const host = new URL(url).hostname;
  return (
    host.startsWith('127.') || host === '0.0.0.0' || ['[::1]', '[::]', '[::ffff:7f00:1]', '[::ffff:0:0]'].includes(host)
  );
}
