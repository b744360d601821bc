import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { missingFiles, missingTitles, namedIn } from '../../support/named-tests.ts';

describe('SECURITY.md', () => {
  const page = readFileSync('SECURITY.md', 'utf8');
  const named = namedIn(page);

  it('names files that exist', () => {
    expect(missingFiles(named)).to.deep.equal([]);
  });

  it('quotes titles that the files have', () => {
    expect(missingTitles(named)).to.deep.equal([]);
  });

  it('names a test for every threat', () => {
    const rows = page.split('\n').filter((line) => /^\| (?!who \|)(?!---)/.test(line));
    expect(rows).to.have.length.above(20);
    expect(rows.filter((row) => namedIn(row).length === 0)).to.deep.equal([]);
  });
});
