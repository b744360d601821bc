import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { SECRETS, SETTINGS } from '../../../infra/settings.ts';

describe('the settings table of the README', () => {
  it('has the row of each setting, in the same order, and no other', () => {
    const section = /## Settings\n([\s\S]*?)\n## /.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const expected = Object.values(SETTINGS).map(({ name, fallback, about }) => {
      const shown = fallback === undefined ? '' : `\`${fallback}\``;
      return `| \`${name}\` | ${shown} | ${about} |`;
    });
    expect(rows).to.deep.equal(expected);
  });

  it('is followed by the names of those that a file may hold', () => {
    const [, names = ''] = /\n((?:.+\n)*?.*)can each lie in a file/.exec(readFileSync('README.md', 'utf8')) ?? [];
    expect([...names.matchAll(/`(\w+)`/g)].map(([, name]) => name)).to.deep.equal(SECRETS);
  });
});
