import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from './command.mjs';

/** SHA-256 by file, as the project's own container images pin them (nats-io/nats-docker, 2.12.x/alpine3.22/Dockerfile). */
export const RELEASE = 'v2.12.8';
const SHA256 = {
  'linux-x64': ['linux-amd64', '6abc397684567e133649688a13564ad6de786d64e88253fbb4f6a3aa8c2fca63'],
  'linux-arm64': ['linux-arm64', '7d20e93c23924cdd5cb6ec51c92f9478c97f9c8a0dbe049dd7ab88af115d622c'],
};
const DOWNLOAD_MS = 120_000;

/** Downloads the pinned release into a directory. @returns the directory in it that holds nats-server */
export async function fromRelease(staging) {
  const [platform, sha256] = SHA256[`${process.platform}-${process.arch}`] ?? [];
  if (!platform) throw new SetupError(`there is none for ${process.platform} ${process.arch}`);
  const name = `nats-server-${RELEASE}-${platform}`;
  const archive = await download(`https://github.com/nats-io/nats-server/releases/download/${RELEASE}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== sha256) throw new SetupError(`the SHA-256 of ${name}.tar.gz is ${actual}, not ${sha256}`);
  const file = join(staging, 'archive.tar.gz');
  writeFileSync(file, archive);
  const made = join(staging, 'unpacked');
  mkdirSync(made);
  await run('tar', ['-xzf', file, '-C', made, '--strip-components=1', `${name}/nats-server`]);
  return whenItRuns(made);
}

async function download(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    throw new SetupError(`cannot download ${url}: ${error.cause?.message ?? error.message}`);
  }
}

/** @returns the directory, where the nats-server in it runs */
export async function whenItRuns(dir) {
  await run(join(dir, 'nats-server'), ['--version']);
  return dir;
}
