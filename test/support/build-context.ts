import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A line of .dockerignore: what it matches, and whether it takes it out of the context or brings it back. */
interface Rule {
  readonly pattern: string;
  readonly isException: boolean;
}

/** The files that .dockerignore lets through to a build, by their paths from the root. */
export function buildContext(): string[] {
  return filesBelow('', rulesOf(readFileSync(join(ROOT, '.dockerignore'), 'utf8')));
}

export function rulesOf(text: string): Rule[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ pattern: line.replace(/^!/, '').replace(/\/$/, ''), isException: line.startsWith('!') }));
}

/** The last rule that matches a path, or a directory above it, decides: https://docs.docker.com/build/concepts/context/#dockerignore-files */
export function isIgnored(path: string, rules: readonly Rule[]): boolean {
  const rule = rules.findLast(({ pattern }) => expressionOf(pattern).test(path));
  return rule !== undefined && !rule.isException;
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    return part === '*' ? '[^/]*' : part.replace(/[.+^${}()|[\]\\?]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}(?:/.*)?$`);
}

function filesBelow(directory: string, rules: readonly Rule[]): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) return isIgnored(path, rules) ? [] : [path];
    const mayHold = rules.some(({ pattern, isException }) => isException && pattern.startsWith(`${path}/`));
    return isIgnored(path, rules) && !mayHold ? [] : filesBelow(path, rules);
  });
}
