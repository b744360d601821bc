import { existsSync, readFileSync } from 'node:fs';

/** A test file that a page names, with the titles that it quotes from it. */
export interface Named {
  readonly file: string;
  readonly titles: readonly string[];
}

/** The files under `test/` that a text names, each with the titles in quotes that follow it in the same paragraph, list item or row. */
export function namedIn(text: string): Named[] {
  const blocks = text.split(/\n\n|\n(?=- |\|)/);
  return blocks.flatMap((block) =>
    [...block.matchAll(/`(test\/[^`]+)`((?:(?!`test\/)[\s\S])*)/g)].map(([, file = '', rest = '']) => ({
      file,
      titles: [...rest.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title.replace(/\s+/g, ' ')),
    })),
  );
}

/** What is named and is not there: files, and titles of files. */
export function missingOf(named: readonly Named[]): string[] {
  return named.flatMap(({ file, titles }) => {
    if (!existsSync(file)) return [file];
    return titles.filter((title) => !isTitleIn(file, title)).map((title) => `${file}: ${title}`);
  });
}

/** Whether a test file has a `describe` or `it` of this title. `…` stands for anything. */
function isTitleIn(file: string, title: string): boolean {
  const pattern = title.split('…').map(escaped).join('.+');
  return new RegExp(`\\b(?:describe|it)\\(\\s*(['"\`])${pattern}\\1`).test(readFileSync(file, 'utf8'));
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
