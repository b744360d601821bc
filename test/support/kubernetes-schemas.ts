import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from './kustomize.ts';

const MODULES = join(import.meta.dirname, '../../node_modules');

/** What Kubernetes' own schemas find wrong with an object: values and what is missing. A field that they do not know passes. */
export async function schemaErrors(manifest: Manifest): Promise<string[]> {
  const { [manifest.kind]: Model } = await import(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`);
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** What the types of those schemas find wrong with objects, by the compiler: fields that there are not. */
export function typeErrors(manifests: readonly Manifest[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'webhooks-manifests-'));
  try {
    symlinkSync(MODULES, join(dir, 'node_modules'));
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(dir, 'manifests.ts'), manifests.map(asTyped).join('\n'));
    const args = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '', 'manifests.ts'];
    return spawnSync(join(MODULES, '.bin/tsc'), args, { cwd: dir, encoding: 'utf8' }).stdout;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const asTyped = (manifest: Manifest, index: number): string => `
import type { I${manifest.kind} as Kind${index} } from 'kubernetes-models/${manifest.apiVersion}/${manifest.kind}';
export const manifest${index}: Kind${index} = ${JSON.stringify(manifest, null, 2)};`;
