/** Names that a resolver makes private addresses of; the first ones are real, on this machine or in the public DNS. */
export const TRICKY_NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'localhost.': ['127.0.0.1', '::1'],
  'localtest.me': ['127.0.0.1', '::1'],
  '127.0.0.1.nip.io': ['127.0.0.1'],
  '7f000001.nip.io': ['127.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
  'zero.example': ['0.0.0.0'],
  'unspecified.example': ['::'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'mapped-in-hex.example': ['::ffff:7f00:1'],
  'zoned.example': ['fe80::1%eth0'],
  'nat64.example': ['64:ff9b::7f00:1'],
  '6to4.example': ['2002:7f00:1::'],
  'teredo.example': ['2001:0:7f00:1::80ff:fffe'],
  'compatible.example': ['::7f00:1'],
  'several.example': ['10.0.0.1', '127.0.0.1', 'fd00::1'],
};

const LITERALS = [
  // As they are, and all of 127.0.0.0/8.
  ...['127.0.0.1', '127.0.0.2', '127.1.2.3', '127.255.255.254', '0.0.0.0', '0.0.0.1', '[::1]', '[::]'],
  // Short, decimal, octal, hex, and mixtures of them: inet_aton.
  ...['127.1', '127.0.1', '0', '0x0', '2130706433', '0x7f000001', '0x7F.1', '017700000001', '0177.0.0.1', '0x7f.0.0.1'],
  ...['127.0.0.0x1', '127.0.0.01', '0177.0x0.00.1', '00000177.0.0.1', '0x7f.0x000001', '127.65535', '2852039166'],
  // Dots at the end; digits, letters and dots that IDNA makes ASCII of.
  ...[
    '127.0.0.1.',
    '2130706433.',
    '0x7f.1.',
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '127．0．0．1',
    '127｡0｡0｡1',
  ],
  ...['⑯⑨。②⑤④。⑯⑨｡②⑤④', '𝟏𝟐𝟕.𝟎.𝟎.𝟏', '０ｘ７ｆ.１', '127.0.0.1\u00ad', '127.0.\u200b0.1'],
  // Percent-encoded.
  ...['%31%32%37.0.0.1', '127%2e0%2e0%2e1', '%30x7f%2E1', '%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1'],
  // IPv6 in every spelling, and IPv4 in it.
  ...[
    '[0:0:0:0:0:0:0:1]',
    '[0000::0001]',
    '[::0:1]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7F00:1]',
    '[0:0:0:0:0:ffff:7f00:1]',
  ],
  ...[
    '[::ffff:0.0.0.0]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::7f00:1]',
  ],
  ...[
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2002:7f00:0001::1]',
    '[2001:0:7f00:1::80ff:fffe]',
    '[fe80::5efe:7f00:1]',
  ],
  // Private, link-local, and where clouds keep their secrets.
  ...['10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '169.254.169.254', '0xa9fea9fe', '0251.0376.0251.0376'],
  ...['169.254.43518', '100.100.100.200', '192.0.0.192', '[fd00:ec2::254]', '[fe80::1]', '[fec0::1]', '[ff02::1]'],
  ...['255.255.255.255', '224.0.0.1'],
];

/** URLs that lead to this machine or into a private network without saying so plainly, some of them by a name. */
export function trickyUrls(port: number): string[] {
  return [
    ...[...LITERALS, ...Object.keys(TRICKY_NAMES)].map((host) => `http://${host}:${port}/hook`),
    `HTTP://127.0.0.1:${port}/hook`,
    `http://127.0.0.1:0${port}/hook`,
    `http://127.0.0.1:${port}?http://example.com/`,
    `http://127.0.0.1:${port}#@example.com/`,
    `https://127.0.0.1:${port}/hook`,
    `https://[::1]:${port}/hook`,
    `https://localhost:${port}/hook`,
  ];
}

/** URLs that parsers disagree about: none of them is taken. */
export function malformedUrls(port: number): string[] {
  return [
    `http://example.com@127.0.0.1:${port}/`,
    `http://user:password@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}\\@example.com/`,
    `http:\\\\127.0.0.1:${port}/`,
    `http:127.0.0.1:${port}/`,
    `http:/127.0.0.1:${port}/`,
    `http:///127.0.0.1:${port}/`,
    `http://127.0.0.1 :${port}/`,
    `http://127.0.0.1:${port} /`,
    `http://127.0.0.1\t:${port}/`,
    `http://127.0.0.1\n:${port}/`,
    `http://127.0.0.1%00.example.com:${port}/`,
    `http://[::1%25lo]:${port}/`,
    `http://[::1%lo]:${port}/`,
    `http://[127.0.0.1]:${port}/`,
    `http://[::1:${port}/`,
    `http://::1:${port}/`,
    `http://256.0.0.1:${port}/`,
    `http://127.0.0.0.1:${port}/`,
    `http://0x100000000:${port}/`,
    'http://127.0.0.1:99999/',
    `//127.0.0.1:${port}/`,
    `ftp://127.0.0.1:${port}/`,
    `gopher://127.0.0.1:${port}/_POST`,
    'file:///etc/passwd',
    'data:text/plain,x',
    'unix:/var/run/docker.sock',
    'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
    'javascript:alert(1)',
  ];
}
