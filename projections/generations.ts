import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { READ_MODEL_VERSION, READABLE_FROM } from './read-models.ts';

/** A file of read models and the version of the code that made it. */
export interface Generation {
  readonly version: number;
  readonly file: string;
}

const NAME = /^read-models(?:-v(\d+))?\.db$/;

/** Where read models of a version lie. Before files were named by version there was one, which counts as version 0. */
export function readModelsFile(dataDir: string, version: number = READ_MODEL_VERSION): string {
  return join(dataDir, version === 0 ? 'read-models.db' : `read-models-v${version}.db`);
}

/** What older versions have left, newest first. */
export function olderGenerations(dataDir: string): Generation[] {
  const versions = readdirSync(dataDir).flatMap((name) => {
    const [isName, version = '0'] = NAME.exec(name) ?? [];
    return isName && Number(version) < READ_MODEL_VERSION ? [Number(version)] : [];
  });
  return versions.sort((a, b) => b - a).map((version) => ({ version, file: readModelsFile(dataDir, version) }));
}

/** The one that can be served until the read models of today have caught up with it, if its tables are those of today. */
export function servableGeneration(dataDir: string): Generation | undefined {
  return olderGenerations(dataDir).find(({ version }) => version >= READABLE_FROM);
}
