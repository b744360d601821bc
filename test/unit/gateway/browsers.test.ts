import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { createBrowserCheck } from '../../../services/gateway/browsers.ts';
import { Problem } from '../../../services/gateway/problems.ts';

interface Policy {
  readonly host?: string;
  readonly allowedHosts?: readonly string[];
  readonly corsOrigins?: readonly string[];
}

/** The code of the problem that a request is to a gateway. */
function refused(
  { host = '127.0.0.1', allowedHosts, corsOrigins }: Policy,
  method: string,
  headers: Record<string, string>,
): string | undefined {
  const check = createBrowserCheck({ host, allowedHosts, corsOrigins });
  try {
    check({ method, headers } as unknown as IncomingMessage);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('what a browser may be made to send', () => {
  const OURS = [
    'localhost',
    'LOCALHOST:8080',
    'a.localhost',
    '127.0.0.1:8080',
    '192.0.2.1',
    '[::1]:8080',
    '[::1]',
    'localhost.:1',
  ];
  const FOREIGN = [
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    '',
    'a b',
  ];

  for (const host of OURS) {
    it(`on loopback goes to ${host}`, () => {
      expect(refused({}, 'GET', { host })).to.equal(undefined);
    });
  }
  for (const host of FOREIGN) {
    it(`on loopback does not go to "${host}", whose name server might lead here`, () => {
      for (const listensOn of ['127.0.0.1', 'localhost', '::1', '127.8.8.8']) {
        expect(refused({ host: listensOn }, 'GET', { host }), listensOn).to.equal('host-unknown');
      }
      expect(refused({ host: '0.0.0.0' }, 'GET', { host })).to.equal(undefined);
    });
  }

  it('goes to the names that are allowed and no other, also the second time', () => {
    const policy = { host: '0.0.0.0', allowedHosts: ['hooks.example'] };
    const check = createBrowserCheck({ ...policy, corsOrigins: undefined });
    const to = (host: string) => () => check({ method: 'GET', headers: { host } } as IncomingMessage);
    for (let n = 0; n < 2; n++) {
      expect(to('hooks.example')).not.to.throw();
      expect(to('Hooks.Example.:443')).not.to.throw();
      expect(to('evil.example')).to.throw(Problem);
      expect(to('a.hooks.example')).to.throw(Problem);
    }
  });

  const host = 'hooks.example';
  const CHANGES: Record<string, [headers: Record<string, string>, code: string | undefined]> = {
    'no browser': [{}, undefined],
    'its own page': [{ 'sec-fetch-site': 'same-origin', origin: 'https://hooks.example' }, undefined],
    'its user': [{ 'sec-fetch-site': 'none' }, undefined],
    'another site': [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 'cross-site'],
    'a sibling of the site': [{ 'sec-fetch-site': 'same-site', origin: 'https://evil.hooks.example' }, 'cross-site'],
    'an old browser, its own page': [{ origin: 'http://hooks.example' }, undefined],
    'an old browser, another site': [{ origin: 'http://evil.example' }, 'cross-site'],
    'an old browser, a page without an origin': [{ origin: 'null' }, 'cross-site'],
    'an origin that is none': [{ origin: '://' }, 'cross-site'],
  };
  for (const [who, [headers, code]] of Object.entries(CHANGES)) {
    it(`${code ? 'changes nothing' : 'may change things'} for ${who}`, () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        expect(refused({ host: '0.0.0.0' }, method, { host, ...headers }), method).to.equal(code);
      }
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        expect(refused({ host: '0.0.0.0' }, method, { host, ...headers }), method).to.equal(undefined);
      }
    });
  }

  it('changes things for origins that are configured', () => {
    const headers = { host, 'sec-fetch-site': 'cross-site', origin: 'https://app.example' };
    expect(refused({ corsOrigins: ['https://app.example'], host: '::' }, 'POST', headers)).to.equal(undefined);
    expect(refused({ corsOrigins: ['*'], host: '::' }, 'POST', headers)).to.equal(undefined);
    expect(refused({ corsOrigins: ['https://b.example'], host: '::' }, 'POST', headers)).to.equal('cross-site');
  });
});
