import { expect } from 'chai';
import fc from 'fast-check';
import { isPublic, parseAddress } from '../../../../infra/outbound/address.ts';

/** What is no address is not public either. */
function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && isPublic(address);
}

const PUBLIC: Readonly<Record<string, readonly string[]>> = {
  IPv4: ['1.1.1.1', '8.8.8.8', '223.255.255.255'],
  'IPv4 beside private blocks': [
    ...['9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
    ...['198.17.255.255', '198.20.0.0'],
  ],
  IPv6: ['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001::200e', '2003::1', '2001:200::1'],
};

/** By the block of the IANA special-purpose registries that they lie in. */
const NOT_PUBLIC: Readonly<Record<string, readonly string[]>> = {
  'this network': ['0.0.0.0', '0.1.2.3'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  'shared by carriers': ['100.64.0.0', '100.127.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  'link-local, cloud metadata': ['169.254.0.0', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  'IETF protocols': ['192.0.0.1', '192.0.0.9', '2001:1::1', '2001:1ff::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  'AS112 and AMT': ['192.31.196.1', '192.52.193.1', '192.175.48.1', '2001:4:112::1', '2620:4f:8000::1', '2001:3::1'],
  '6to4 relays': ['192.88.99.1'],
  benchmarking: ['198.18.0.0', '198.19.255.255', '2001:2::1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  'reserved, broadcast': ['240.0.0.1', '255.255.255.255'],
  unspecified: ['::', '::0.0.0.0'],
  'IPv4-mapped': [
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:0.0.0.0',
  ],
  'IPv4-compatible': ['::127.0.0.1', '::8.8.8.8'],
  'IPv4-translated': ['::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
  NAT64: ['64:ff9b::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '64:ff9b:1:ffff::10.0.0.1'],
  '6to4': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
  Teredo: ['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ORCHID: ['2001:10::1', '2001:20::1'],
  'unique local': ['fc00::1', 'fd12:3456::1'],
  'site-local': ['fec0::1', 'feff::1'],
  'discard-only': ['100::1'],
  'segment routing': ['5f00::1'],
  'outside global unicast': ['200::1', '400::1', '1fff::1', '4000::1', '8000::1', 'e000::1'],
  'no address at all': ['', 'localhost', 'example.com', '[::1]', '8.8.8.8:80', '8.8.8.8 ', '1.2.3.4.5'],
  'IPv4 in shorthand': ['8', '8.8', '1.2.3', '0x8.8.8.8', '010.8.8.8', '2130706433'],
};

describe('an address of the public internet', () => {
  for (const [kind, addresses] of Object.entries(PUBLIC)) {
    it(`is taken: ${kind}`, () => expect(addresses.filter((address) => !isPublicAddress(address))).to.deep.equal([]));
  }
  for (const [kind, addresses] of Object.entries(NOT_PUBLIC)) {
    it(`is not: ${kind}`, () => expect(addresses.filter(isPublicAddress)).to.deep.equal([]));
  }

  it('is in 2000::/3 where it is IPv6', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const first = groups[0] as number;
        fc.pre(first >> 13 !== 1);
        return !isPublicAddress(groups.map((each) => each.toString(16)).join(':'));
      }),
    );
  });
});
