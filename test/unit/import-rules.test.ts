import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';

const ROOT = join(import.meta.dirname, '../..');
const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');

/** A file of each room, and what it may not import. */
const BROKEN: readonly (readonly [file: string, imported: string])[] = [
  ['domain/rule.ts', 'node:fs'],
  ['domain/rule.ts', '../infra/keys.ts'],
  ['domain/rule.ts', '../projections/events.ts'],
  ['domain/rule.ts', '../services/main.ts'],
  ['domain/rule.ts', '../test/support/sample.ts'],
  ['projections/rule.ts', '../infra/sqlite.ts'],
  ['projections/rule.ts', '../services/house.ts'],
  ['infra/rule.ts', '../services/house.ts'],
  ['infra/rule.ts', '../projections/events.ts'],
  ['infra/outbound/rule.ts', '../../services/delivery/lanes.ts'],
  ['services/gateway/rule.ts', '../relay/relay.ts'],
  ['services/gateway/rule.ts', '../main.ts'],
  ['services/gateway/routes/rule.ts', '../../delivery/lanes.ts'],
  ['services/relay/rule.ts', '../gateway/gateway.ts'],
  ['services/relay/rule.ts', '../delivery/lanes.ts'],
  ['services/delivery/rule.ts', '../projector/projector.ts'],
  ['services/delivery/rule.ts', '../relay/relay.ts'],
  ['services/projector/rule.ts', '../gateway/gateway.ts'],
  ['services/projector/rule.ts', '../../test/support/sample.ts'],
  ['services/projector/rule.ts', '../notary/notary.ts'],
  ['services/notary/rule.ts', '../relay/leadership.ts'],
  ['services/audit/rule.ts', '../notary/notary.ts'],
  ['services/gateway/rule.ts', '../audit/verify.ts'],
  ['services/gateway/rule.ts', '../command/listen.ts'],
  ['services/audit/rule.ts', '../command/listen.ts'],
  ['services/command/rule.ts', '../gateway/gateway.ts'],
  ['services/command/rule.ts', '../audit/verify.ts'],
  ['clients/typescript/src/rule.ts', 'node:crypto'],
  ['clients/typescript/src/rule.ts', '../../../domain/event.ts'],
  ['services/gateway/rule.ts', '../console/app.ts'],
  ['services/console/rule.ts', 'node:fs'],
  ['services/console/rule.ts', '../../domain/channel.ts'],
  ['services/console/rule.ts', '../gateway/app.ts'],
  ['services/console/rule.ts', '../relay/relay.ts'],
];

const FINE: typeof BROKEN = [
  ['domain/rule.ts', './channel.ts'],
  ['projections/rule.ts', '../domain/channel.ts'],
  ['projections/rule.ts', 'node:sqlite'],
  ['infra/rule.ts', '../domain/facts.ts'],
  ['services/gateway/rule.ts', '../../infra/keys.ts'],
  ['services/gateway/rule.ts', '../../projections/read-models.ts'],
  ['services/console/rule.ts', '../gateway/routes/answers.ts'],
  ['services/console/rule.ts', 'preact/hooks'],
  ['services/rule.ts', './relay/relay.ts'],
  ['services/command/rule.ts', '../../clients/typescript/src/index.ts'],
  ['services/rule.ts', './audit/program.ts'],
  ['clients/typescript/src/rule.ts', './http.ts'],
  ['test/rule.ts', '../services/main.ts'],
];

describe('import rules', function () {
  this.timeout(60_000);
  let folder: string;
  let report: string;

  /** All files at once, each in a copy of the project that holds nothing but them and the rules. */
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'webhooks-rules-'));
    for (const [index, rule] of [...BROKEN, ...FINE].entries()) {
      const file = join(folder, nameOf(rule, index));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `import type { Anything } from '${rule[1]}';\n\nexport type Same = Anything;\n`);
    }
    copyFileSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'));
    const args = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', '.'];
    const run = spawnSync(process.execPath, [BIOME, ...args], { cwd: folder, encoding: 'utf8' });
    report = run.stdout;
    expect(run.stderr).to.contain('Some errors were emitted');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const isRefused = (file: string) =>
    report.split('\n').some((line) => line.includes(`/${file},`) && line.includes('noRestrictedImports'));

  for (const [index, rule] of BROKEN.entries()) {
    it(`refuse ${rule[1]} in ${dirname(rule[0])}/`, () => {
      expect(isRefused(nameOf(rule, index))).to.equal(true);
    });
  }
  for (const [index, rule] of FINE.entries()) {
    it(`let ${rule[1]} into ${dirname(rule[0])}/`, () => {
      expect(isRefused(nameOf(rule, BROKEN.length + index))).to.equal(false);
    });
  }
});

/** The file's name, with a number that tells it from others of its folder. */
function nameOf([file]: readonly [string, string], index: number): string {
  return file.replace('.ts', `-${index}.ts`);
}
