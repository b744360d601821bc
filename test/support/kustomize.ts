import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has fields of its own, and a schema that holds them
  readonly [field: string]: any;
}

interface Kustomization {
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly images?: readonly { readonly name: string; readonly newName?: string; readonly newTag?: string }[];
  readonly patches?: readonly { readonly path: string }[];
}

const KNOWN = ['apiVersion', 'kind', 'namespace', 'resources', 'images', 'patches'];
const CLUSTER_KINDS = ['Namespace'];

/**
 * The objects that a kustomization makes, by the part of Kustomize that ours use: resources, a namespace, images, and patches that are merged.
 * @throws Error where it asks for more
 */
export function kustomize(directory: string): Manifest[] {
  const kustomization: Kustomization = parse(readFileSync(join(directory, 'kustomization.yaml'), 'utf8'));
  const unknown = Object.keys(kustomization).filter((field) => !KNOWN.includes(field));
  if (unknown.length > 0) throw new Error(`this does not know ${unknown.join()} of a kustomization`);
  const { resources = [], patches = [], images = [], namespace } = kustomization;
  let manifests = resources.flatMap((resource) => {
    const path = join(directory, resource);
    return statSync(path).isDirectory() ? kustomize(path) : manifestsIn(path);
  });
  for (const { path } of patches) {
    for (const patch of manifestsIn(join(directory, path))) manifests = patched(manifests, patch);
  }
  return manifests.map((manifest) => {
    const withImages = replaceImages(manifest, images) as Manifest;
    if (namespace === undefined || CLUSTER_KINDS.includes(manifest.kind)) return withImages;
    return { ...withImages, metadata: { ...manifest.metadata, namespace } };
  });
}

/** As Kubernetes reads YAML, to which a mode such as 0440 is octal. */
function manifestsIn(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

function patched(manifests: readonly Manifest[], patch: Manifest): Manifest[] {
  const isTarget = ({ kind, metadata }: Manifest) => kind === patch.kind && metadata.name === patch.metadata.name;
  if (!manifests.some(isTarget)) throw new Error(`there is no ${patch.kind} ${patch.metadata.name} to patch`);
  return manifests.map((manifest) => (isTarget(manifest) ? (merged(manifest, patch) as Manifest) : manifest));
}

/** Maps field by field, lists of named things by their names, all else replaced. */
function merged(base: unknown, patch: unknown): unknown {
  if (isNamedList(base) && isNamedList(patch)) {
    const names = [...new Set([...base, ...patch].map(({ name }) => name))];
    return names.map((name) => {
      const [from, to] = [base, patch].map((list) => list.find((item) => item.name === name));
      return from && to ? merged(from, to) : (to ?? from);
    });
  }
  if (!isMap(base) || !isMap(patch)) return patch;
  const entries = Object.entries(patch).map(([field, value]) => [
    field,
    field in base ? merged(base[field], value) : value,
  ]);
  return { ...base, ...Object.fromEntries(entries) };
}

function replaceImages(value: unknown, images: NonNullable<Kustomization['images']>): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceImages(item, images));
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([field, content]) => {
    const change = field === 'image' && images.find(({ name }) => `${content}`.split(':')[0] === name);
    if (!change) return [field, replaceImages(content, images)];
    return [field, `${change.newName ?? change.name}:${change.newTag ?? `${content}`.split(':')[1]}`];
  });
  return Object.fromEntries(entries);
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNamedList = (value: unknown): value is { name: string }[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => isMap(item) && typeof item.name === 'string');
