import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const GUARANTEES = 'test/e2e/guarantees';

interface Named {
  readonly file: string;
  readonly titles: readonly string[];
}

/** The files under `test/` that a text names, each with the titles in quotes that follow it in the same paragraph, list item or row. */
function namedIn(text: string): Named[] {
  const blocks = text.split(/\n\n|\n(?=- |\|)/);
  return blocks.flatMap((block) =>
    [...block.matchAll(/`(test\/[^`]+)`((?:(?!`test\/)[\s\S])*)/g)].map(([, file = '', rest = '']) => ({
      file,
      titles: [...rest.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title.replace(/\s+/g, ' ')),
    })),
  );
}

/** Whether a test file has a `describe` or `it` of this title. `…` stands for anything. */
function isTitleIn(file: string, title: string): boolean {
  const pattern = title.split('…').map(escaped).join('.+');
  return new RegExp(`\\b(?:describe|it)\\(\\s*(['"\`])${pattern}\\1`).test(readFileSync(file, 'utf8'));
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

describe('docs/guarantees.md', () => {
  const page = readFileSync('docs/guarantees.md', 'utf8');
  const named = namedIn(page);
  const [, promises = ''] = /^## Promises\n([\s\S]*?)^## /m.exec(page) ?? [];

  it('names files that exist', () => {
    expect(named.map(({ file }) => file).filter((file) => !existsSync(file))).to.deep.equal([]);
  });

  it('quotes titles that the files have', () => {
    const missing = named.flatMap(({ file, titles }) =>
      titles.filter((title) => !existsSync(file) || !isTitleIn(file, title)).map((title) => `${file}: ${title}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it('names a test, by its title, for every promise', () => {
    const sections = promises.split(/^### /m).slice(1);
    const isHeld = (section: string) =>
      namedIn(section).some(({ file, titles }) => file.endsWith('.test.ts') && titles.length > 0);
    expect(sections).to.have.length.above(10);
    expect(sections.filter((section) => !isHeld(section)).map((section) => section.split('\n')[0])).to.deep.equal([]);
  });

  it(`names every test in ${GUARANTEES}`, () => {
    const files = readdirSync(GUARANTEES).filter((file) => file.endsWith('.test.ts'));
    const isNamed = (path: string) => named.some(({ file, titles }) => file === path && titles.length > 0);
    expect(files.filter((file) => !isNamed(`${GUARANTEES}/${file}`))).to.deep.equal([]);
  });
});
