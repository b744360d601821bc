import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { parseNetworks } from '../../../infra/networks.ts';
import { createClientAddress } from '../../../services/gateway/client-address.ts';

function addressOf(trusted: readonly string[], remoteAddress: string | undefined, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const networks = trusted.flatMap(parseNetworks);
  return createClientAddress(networks)({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
}

describe('the address of a client', () => {
  it("is the connection's, whatever a header says", () => {
    expect(addressOf([], '203.0.113.7', '198.51.100.1')).to.equal('203.0.113.7');
    expect(addressOf(['10.0.0.0/8'], '203.0.113.7', '198.51.100.1, 10.0.0.1')).to.equal('203.0.113.7');
    expect(addressOf([], undefined)).to.equal('unknown');
  });

  it('is what the nearest proxy that is trusted saw, through any number of such', () => {
    const trusted = ['10.0.0.0/8', '2001:db8::1', '192.0.2.9'];
    expect(addressOf(trusted, '10.1.2.3', '198.51.100.1')).to.equal('198.51.100.1');
    expect(addressOf(trusted, '::ffff:10.1.2.3', ' 198.51.100.1 ')).to.equal('198.51.100.1');
    expect(addressOf(trusted, '2001:db8::1', '198.51.100.1:4711, 192.0.2.9, 10.9.9.9')).to.equal('198.51.100.1');
    expect(addressOf(trusted, '10.1.2.3', '1.1.1.1, 198.51.100.1, 10.0.0.2')).to.equal('198.51.100.1');
  });

  it('is the proxy where that says nothing that can be read', () => {
    for (const forwarded of [undefined, '', 'unknown', '198.51.100.1, ', '_hidden', '999.1.1.1', '198.51.100.1, x']) {
      expect(addressOf(['10.0.0.1'], '10.0.0.1', forwarded), forwarded).to.equal('10.0.0.1');
    }
  });

  it('is the first proxy where all that is said is trusted', () => {
    expect(addressOf(['10.0.0.0/8'], '10.0.0.1', '10.0.0.3, 10.0.0.2')).to.equal('10.0.0.3');
  });

  it('is the network of an IPv6 address: who has one has all of it', () => {
    expect(addressOf([], '2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1:2::/64');
    expect(addressOf([], '2001:db8:1:2::9')).to.equal('2001:db8:1:2::/64');
    expect(addressOf(['10.0.0.1'], '10.0.0.1', '[2001:db8:1:3::9]:443')).to.equal('2001:db8:1:3::/64');
    expect(addressOf([], 'fe80::1%eth0')).to.equal('fe80::/64');
    expect(addressOf([], '::ffff:192.0.2.1')).to.equal('192.0.2.1');
  });
});
