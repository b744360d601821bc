import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const FOLDER = 'test/unit/infra/outbound';

describe('docs/outbound.md', () => {
  const page = readFileSync('docs/outbound.md', 'utf8');
  const [, table = ''] = /^## Threats, defences, tests\n([\s\S]*)/m.exec(page) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('| ') && !/^\| (threat|---)/.test(line));
  const named = rows.map((row) => [...row.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file = '']) => file));

  it('names a test that exists for every threat', () => {
    expect(rows).to.have.length.above(10);
    expect(rows.filter((_, n) => named[n]?.length === 0)).to.deep.equal([]);
    const paths = named.flat().map((file) => (file.includes('/') ? file : `${FOLDER}/${file}`));
    expect(paths.filter((path) => !existsSync(path))).to.deep.equal([]);
  });

  it('names every test of what goes out, but that of signatures', () => {
    const files = readdirSync(FOLDER).filter((file) => file !== 'signature.test.ts');
    expect(files.filter((file) => !named.flat().includes(file))).to.deep.equal([]);
  });
});
