import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** Those whose script is never run, and is not needed: why is in SECURITY.md. */
const WITH_INSTALL_SCRIPT = ['nx', 'protobufjs'];
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

/** The promise: what runs here is what was locked, and nothing of it ran before. */
describe('the supply chain', () => {
  const { dependencies, devDependencies } = read('package.json');
  const { '': root, ...packages } = read('package-lock.json').packages as Record<string, Locked>;
  const locked = Object.entries(packages);
  const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

  it('has exact versions in package.json, and the same in the lock', () => {
    const wanted = { ...dependencies, ...devDependencies };
    for (const [name, version] of Object.entries(wanted)) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(packages[`node_modules/${name}`]?.version, name).to.equal(version);
    }
    expect(root).to.deep.include({ dependencies, devDependencies });
  });

  it('has the checksum of every package, and none that comes from elsewhere than the registry', () => {
    expect(locked.length).to.be.greaterThan(100);
    for (const [path, { integrity, resolved }] of locked) {
      expect(integrity, path).to.match(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(resolved ?? 'https://registry.npmjs.org/', path).to.match(/^https:\/\/registry\.npmjs\.org\//);
    }
  });

  it('has no package with an install script but those that do well without', () => {
    const marked = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    expect(marked.sort()).to.deep.equal(WITH_INSTALL_SCRIPT);
    // What is installed may say more than the lock.
    const manifests = globSync('node_modules/{*,@*/*}/package.json');
    expect(manifests.length).to.be.greaterThan(100);
    const installed = manifests.filter((file) => {
      const scripts = Object.keys(read(file).scripts ?? {});
      const isBuilt = existsSync(join(file, '../binding.gyp'));
      return isBuilt || INSTALL_SCRIPTS.some((script) => scripts.includes(script));
    });
    const names = installed.map((file) => nameOf(file.replace(/\/package\.json$/, '')));
    expect(names.filter((name) => !WITH_INSTALL_SCRIPT.includes(name))).to.deep.equal([]);
  });

  it('runs no install script, whoever installs', () => {
    expect(readFileSync('.npmrc', 'utf8')).to.match(/^ignore-scripts=true$/m);
    const files = ['Dockerfile', '.ci/run', ...globSync('infra/setup/*.mjs')];
    const installing = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => /npm (ci|install) |\['(ci|install)'/.test(line)),
    );
    expect(installing).to.have.length(3);
    for (const line of installing) expect(line).to.include('--ignore-scripts');
  });

  it('has a bill of materials with every package that is run, and none that only development needs', () => {
    const bom = JSON.parse(execFileSync(process.execPath, ['infra/setup/sbom.mjs'], { encoding: 'utf8' }));
    expect(bom).to.deep.include({ bomFormat: 'CycloneDX' });
    expect(bom.metadata.component).to.include({ name: 'webhooks', type: 'application' });
    const listed = bom.components.map(({ name, version }: { name: string; version: string }) => `${name}@${version}`);
    const run = locked.filter(([, { dev }]) => !dev).map(([path, { version }]) => `${nameOf(path)}@${version}`);
    expect(run.filter((name) => !listed.includes(name))).to.deep.equal([]);
    const others = listed.filter((name: string) => !run.includes(name));
    expect(others.map((name: string) => name.replace(/@.*/, ''))).to.deep.equal(['nats-server', 'redoc']);
    const refs = bom.dependencies.flatMap(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) => [
      ref,
      ...dependsOn,
    ]);
    const known = [bom.metadata.component, ...bom.components].map((component) => component['bom-ref']);
    expect(refs.filter((ref: string) => !known.includes(ref))).to.deep.equal([]);
  });
});
