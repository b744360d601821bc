import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ACCESS } from '../../../services/gateway/access.ts';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';

describe('the table of routes in docs/api.md', () => {
  it('has each route with who may call it, and no other', () => {
    const section = /## Routes\n([\s\S]*?)\n## /.exec(readFileSync('docs/api.md', 'utf8'))?.[1] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const shown = rows.map((row) => row.split(' | ').slice(0, 2).join(' | '));
    const expected = ROUTES.map(({ method, path, access }) => {
      return `| \`${method} ${path.replaceAll(/:\w+/g, '{id}')}\` | ${ACCESS[access].who}`;
    });
    expect(shown).to.have.members(expected);
  });
});
