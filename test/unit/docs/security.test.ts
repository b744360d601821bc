import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { missingOf, namedIn } from '../../support/named-tests.ts';

describe('SECURITY.md', () => {
  const page = readFileSync('SECURITY.md', 'utf8');
  const named = namedIn(page);

  it('names files that exist, and quotes titles that they have', () => {
    expect(missingOf(named)).to.deep.equal([]);
  });

  it('names a test for every threat', () => {
    const rows = page.split('\n').filter((line) => /^\| (?!who \|)(?!---)/.test(line));
    expect(rows).to.have.length.above(20);
    expect(rows.filter((row) => namedIn(row).length === 0)).to.deep.equal([]);
  });
});
