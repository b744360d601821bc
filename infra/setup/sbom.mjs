// Writes what the product is made of, as CycloneDX (https://cyclonedx.org), to stdout: npm run -s sbom > sbom.json
// npm tells the packages that package-lock.json locks; nats-server, which setup may download, and redoc, whose bundle lies here, are none of them.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RELEASE } from './nats-release.mjs';

const root = join(import.meta.dirname, '../..');
const ARGS = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];

const bom = JSON.parse(npm(ARGS));
// npm names it after the directory that it lies in.
bom.metadata.component.name = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name;
// Its --omit=dev would leave out what development needs as well as the product, and what it marks as development's may be that of one place only.
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const isRun = new Set(
  Object.entries(packages).flatMap(([path, { version, dev }]) => (dev ? [] : `${nameOf(path)}@${version}`)),
);
bom.components = bom.components.filter((component) => isRun.has(component['bom-ref']));
for (const component of bom.components) {
  component.properties = component.properties?.filter(({ name }) => name !== 'cdx:npm:package:development');
}
const kept = new Set([bom.metadata.component['bom-ref'], ...bom.components.map((component) => component['bom-ref'])]);
bom.dependencies = bom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
bom.components.push({
  'bom-ref': `nats-server@${RELEASE}`,
  type: 'application',
  name: 'nats-server',
  version: RELEASE,
  scope: 'optional',
  purl: `pkg:github/nats-io/nats-server@${RELEASE}`,
  licenses: [{ license: { id: 'Apache-2.0' } }],
});
const redoc = JSON.parse(readFileSync(join(root, 'services/gateway/reference/redoc.json'), 'utf8'));
bom.components.push({
  'bom-ref': `redoc@${redoc.version}`,
  type: 'library',
  name: 'redoc',
  version: redoc.version,
  purl: `pkg:npm/redoc@${redoc.version}`,
  licenses: [{ license: { id: 'MIT' } }],
});
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);

/** Of a package, by where it lies. */
function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The npm that runs us, or the one on PATH. */
function npm(args) {
  const script = process.env.npm_execpath;
  const [command, ...first] = script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
  return execFileSync(command, [...first, ...args], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}
