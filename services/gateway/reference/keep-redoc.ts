import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Puts the standalone bundle of a version of redoc beside this file: `npm run keep-redoc -- 2.5.4`. Why: docs/decisions/0010. */
const [version] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(version ?? '')) throw new Error('which version? npm run keep-redoc -- 2.5.4');

/** The one thing that it would fetch from elsewhere; an image that is none is not shown. */
const FOREIGN_IMAGE = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const NO_IMAGE = 'data:,';

const folder = mkdtempSync(join(tmpdir(), 'webhooks-redoc-'));
try {
  execFileSync('npm', ['pack', '--silent', `redoc@${version}`], { cwd: folder });
  execFileSync('tar', ['xzf', `redoc-${version}.tgz`], { cwd: folder });
  const read = (file: string) => readFileSync(join(folder, 'package', file), 'utf8');
  const script = read('bundles/redoc.standalone.js')
    .replaceAll(FOREIGN_IMAGE, NO_IMAGE)
    .replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
  writeFileSync(join(import.meta.dirname, 'redoc.standalone.js.gz'), gzipSync(script, { level: 9 }));
  writeFileSync(join(import.meta.dirname, 'redoc.json'), `${JSON.stringify({ version })}\n`);
  const licenses = [`redoc ${version}\n`, read('LICENSE'), read('bundles/redoc.standalone.js.LICENSE.txt')];
  writeFileSync(join(import.meta.dirname, 'redoc.LICENSE.txt'), licenses.join('\n'));
} finally {
  rmSync(folder, { recursive: true });
}
