import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const COMPOSE_DIR = join(import.meta.dirname, '../../infra/compose');

/** What our tests look at of a service. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly restart?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly pid?: string;
  readonly ipc?: string;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly deploy?: { readonly resources?: { readonly limits?: { readonly cpus?: string; readonly memory?: string } } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

/** A file of infra/compose, with what it merges from its own anchors. */
export function readCompose(name: string): ComposeFile {
  return parse(textOf(name), { merge: true });
}

/** The text of a file in infra/compose. */
export function textOf(path: string): string {
  return readFileSync(join(COMPOSE_DIR, path), 'utf8');
}

/** Source and target of what a service mounts. */
export function mountsOf({ volumes = [] }: Service): { source: string; target: string; isReadOnly: boolean }[] {
  return volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, isReadOnly: mode === 'ro' };
  });
}

/** The secrets of a service, each with the path at which it finds it. */
export function secretsOf({ secrets = [] }: Service): { name: string; path: string }[] {
  return secrets.map((secret) =>
    typeof secret === 'string'
      ? { name: secret, path: `/run/secrets/${secret}` }
      : { name: secret.source, path: secret.target },
  );
}

/** Whether a service does something once, before others start. */
export function runsOnce(file: ComposeFile, name: string): boolean {
  const awaited = Object.values(file.services).map(({ depends_on = {} }) => depends_on[name]?.condition);
  return file.services[name]?.restart === 'no' && awaited.includes('service_completed_successfully');
}
