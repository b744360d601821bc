import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** Files in PEM: an authority, and a certificate and key that it has signed. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 3_600_000;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** An authority of its own and a certificate for this machine under its loopback names, in files that go when this process does. */
export async function makeCertificates(): Promise<Certificates> {
  const dir = mkdtempSync(join(tmpdir(), 'webhooks-certificates-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const notAfterDate = new Date(Date.now() + DAY_MS);
  const authority = await generate([{ name: 'commonName', value: 'authority of a test' }], {
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    notAfterDate,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: DNS_NAME, value: 'localhost' },
          { type: IP_ADDRESS, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const file = (name: string, content: string) => {
    writeFileSync(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  return {
    ca: file('ca.crt', authority.cert),
    cert: file('node.crt', server.cert),
    key: file('node.key', server.private),
  };
}
