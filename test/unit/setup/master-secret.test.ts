import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CannotStart } from '../../../infra/local/cannot-start.ts';
import { masterSecret } from '../../../infra/local/master-secret.ts';

describe('the master secret', () => {
  let dir: string;
  const file = () => join(dir, 'master_secret');

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'webhooks-secret-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is made once, and readable by nobody else', () => {
    const secret = masterSecret(dir);
    expect(secret).to.match(/^[0-9a-f]{64}$/);
    expect(masterSecret(dir)).to.equal(secret);
    expect(readFileSync(file(), 'utf8')).to.equal(`${secret}\n`);
    expect(statSync(file()).mode & 0o777).to.equal(0o600);
    expect(readdirSync(dir)).to.deep.equal(['master_secret']);
  });

  it('is made anew where making it was cut off', () => {
    writeFileSync(`${file()}.draft`, 'abc');
    expect(masterSecret(dir)).to.match(/^[0-9a-f]{64}$/);
  });

  for (const [what, content] of [
    ['empty', ''],
    ['cut short', 'abcdef'],
    ['something else', 'x'.repeat(64)],
  ] as const) {
    it(`that is ${what} is refused and left as it is`, () => {
      writeFileSync(file(), content);
      expect(() => masterSecret(dir)).to.throw(CannotStart, 'master_secret is damaged');
      expect(readFileSync(file(), 'utf8')).to.equal(content);
    });
  }
});
