import { expect } from 'chai';
import { createDestinations, type DestinationRules } from '../../../../infra/outbound/destinations.ts';
import { parsePorts } from '../../../../infra/outbound/ports.ts';
import { DEFAULT_RULES, destinations } from '../../../support/destinations.ts';

/** Addresses and ports, by whether they are allowed under some rules. */
interface Case {
  readonly rules: Partial<DestinationRules>;
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'of the public internet alone, where nothing is set': {
    rules: {},
    allowed: ['8.8.8.8', '2606:4700:4700::1111'],
    refused: ['10.0.0.1', '::1', '64:ff9b::8.8.8.8', '::ffff:8.8.8.8', 'localhost', ''],
  },
  'any, where private networks are allowed': {
    rules: { allowPrivateNetworks: true },
    allowed: ['8.8.8.8', '127.0.0.1', '::1', '::', 'fe80::1%eth0', '::ffff:127.0.0.1', '64:ff9b::7f00:1'],
    refused: ['localhost'],
  },
  'in an allowed network, and public ones': {
    rules: { allowedNetworks: ['10.1.0.0/16', 'fd00::/8', '::1/128'] },
    allowed: ['10.1.0.0', '10.1.255.255', 'fd12::1', '::1', '8.8.8.8'],
    refused: ['10.0.255.255', '10.2.0.0', '127.0.0.1', 'fc00::1', '::', '::ffff:10.1.0.0', '64:ff9b::a01:0'],
  },
  'not in a denied network, though public': {
    rules: { deniedNetworks: ['8.8.0.0/16', '2606:4700::/32'] },
    allowed: ['8.9.0.0', '1.1.1.1', '2606:4701::1'],
    refused: ['8.8.8.8', '2606:4700:4700::1111'],
  },
  'not in a denied network, though an allowed one holds it, or all are': {
    rules: {
      allowPrivateNetworks: true,
      allowedNetworks: ['10.0.0.0/8'],
      deniedNetworks: ['10.9.0.0/16', '169.254.169.254/32'],
    },
    allowed: ['10.8.0.1', '169.254.169.253', '127.0.0.1'],
    refused: ['10.9.0.1', '169.254.169.254'],
  },
  'not what carries an address of a denied network, in any form': {
    rules: { allowPrivateNetworks: true, deniedNetworks: ['169.254.169.254/32'] },
    allowed: ['64:ff9b::a9fe:a9fd', '2002:a9fe:a9fd::1', '::ffff:169.254.169.253'],
    refused: [
      ...[
        '64:ff9b::a9fe:a9fe',
        '64:ff9b::169.254.169.254',
        '64:ff9b:1::a9fe:a9fe',
        '::ffff:169.254.169.254',
        '::ffff:a9fe:a9fe',
      ],
      ...[
        '::a9fe:a9fe',
        '::ffff:0:a9fe:a9fe',
        '2002:a9fe:a9fe::1',
        '2001:0:a9fe:a9fe::1',
        '2001:0:808:808:0:ffff:5601:5601',
      ],
      ...['fe80::5efe:a9fe:a9fe', 'fe80::200:5efe:a9fe:a9fe', 'fe80::5efe:a9fe:a9fe%eth0'],
    ],
  },
  "through one's own NAT64, where that is allowed, to public ones alone": {
    rules: { allowedNetworks: ['64:ff9b::/96'] },
    allowed: ['64:ff9b::8.8.8.8'],
    refused: ['64:ff9b::10.0.0.1', '64:ff9b::127.0.0.1', '64:ff9b:1::8.8.8.8'],
  },
};

describe('destinations', () => {
  for (const [title, { rules, allowed, refused }] of Object.entries(CASES)) {
    it(`are addresses ${title}`, () => {
      const { allowsAddress } = destinations(rules);
      expect(allowed.filter((address) => !allowsAddress(address))).to.deep.equal([]);
      expect(refused.filter(allowsAddress)).to.deep.equal([]);
    });
  }

  it("are no addresses of this machine's own, though they be public, unless they are allowed", () => {
    const own = () => ['127.0.0.1', '8.8.8.8', '2606:4700::1'];
    const refused = createDestinations(DEFAULT_RULES, own);
    for (const address of own()) expect(refused.allowsAddress(address), address).to.equal(false);
    expect(refused.allowsAddress('2606:4700:0:0:0:0:0:1')).to.equal(false);
    expect(refused.allowsAddress('8.8.4.4')).to.equal(true);
    const allowed = createDestinations({ ...DEFAULT_RULES, allowedNetworks: ['8.8.8.8/32'] }, own);
    expect(allowed.allowsAddress('8.8.8.8')).to.equal(true);
    expect(createDestinations({ ...DEFAULT_RULES, allowPrivateNetworks: true }, own).allowsAddress('8.8.8.8')).to.equal(
      true,
    );
  });

  it('have ports from 1 to 65535 but the denied ones', () => {
    const { allowsPort } = destinations({ deniedPorts: parsePorts('25,512-515') });
    expect([1, 24, 26, 80, 443, 511, 516, 65_535].filter((port) => !allowsPort(port))).to.deep.equal([]);
    expect([0, 25, 512, 514, 515, 65_536, Number.NaN].filter(allowsPort)).to.deep.equal([]);
  });

  describe('objection to a URL', () => {
    const { objection } = destinations({ deniedPorts: parsePorts('25') });

    it('is none where only the resolver can tell, or all is well', () => {
      const fine = [
        'http://localhost/',
        'http://a.internal:8080/',
        'https://8.8.8.8/',
        'http://[2606:4700::1]:81/',
        'no URL',
      ];
      expect(fine.filter((url) => objection(url) !== undefined)).to.deep.equal([]);
    });

    it('names the address that it leads to, however it is written', () => {
      expect(objection('http://0x7f.1/')).to.match(/^must not have the address 127\.0\.0\.1:/);
      expect(objection('https://[::ffff:7f00:1]/')).to.match(/^must not have the address ::ffff:7f00:1:/);
    });

    it('names the port, also of a name', () => {
      expect(objection('http://smtp.example:25/')).to.match(/^must not have the port 25:/);
      expect(objection('http://smtp.example:0/')).to.match(/^must not have the port 0:/);
      expect(destinations({ deniedPorts: [[443, 443]] }).objection('https://a.example/')).to.match(/port 443:/);
      expect(destinations({ deniedPorts: [[80, 80]] }).objection('http://a.example/')).to.match(/port 80:/);
    });
  });
});
