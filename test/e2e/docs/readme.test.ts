import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const run = promisify(execFile);

interface Block {
  /** Variables to keep from the answer, by the field they come from. */
  readonly keep: Readonly<Record<string, string>>;
  /** A text that the answer must hold, sooner or later. */
  readonly expected: string | undefined;
  readonly script: string;
}

/** The README's `sh` blocks, each with the comment right above it that says what to make of its answer. */
function blocksOf(markdown: string): Block[] {
  const pattern = /(?:<!-- (keep|expect) (.*?) -->\n)?```sh\n([\s\S]*?)```/g;
  return [...markdown.matchAll(pattern)].map(([, verb, words = '', script = '']) => ({
    keep: verb === 'keep' ? Object.fromEntries(words.split(' ').map((pair) => pair.split('='))) : {},
    expected: verb === 'expect' ? words : undefined,
    script,
  }));
}

/** The promise: every command of the README's walk-through works as it stands there, one after the other. */
describe('the walk through the API in the README', () => {
  const blocks = blocksOf(readFileSync('README.md', 'utf8'));
  let stack: Stack;
  let receiver: Receiver;
  const variables: Record<string, string> = {};

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack();
    Object.assign(variables, { API: stack.url, RECEIVER: receiver.url('/webhook_url') });
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  it('has the commands', () => {
    expect(blocks).to.have.length.of.at.least(5);
  });

  for (const { script, keep, expected } of blocks) {
    it(script.split('\n')[0] ?? '', async () => {
      // -f: an answer of 400 and above fails the command.
      const strict = `set -e; curl() { command curl -sSf "$@"; }\n${script}`;
      const answer = async () => (await run('bash', ['-c', strict], { env: { ...process.env, ...variables } })).stdout;
      const text = expected
        ? await waitFor(expected, answer, (seen) => seen.replaceAll(/\s/g, '').includes(expected.replaceAll(/\s/g, '')))
        : await answer();
      for (const [variable, field] of Object.entries(keep)) variables[variable] = String(JSON.parse(text)[field]);
    });
  }

  it('delivered the event to the receiver', () => {
    const [first, ...others] = receiver.hits.map(({ body }) => JSON.parse(body.toString()).event_name);
    expect(first).to.equal('request.created');
    // What the webhook got before it was deleted.
    for (const name of others) expect(name).to.be.oneOf(['request.created', 'request.closed', 'ping']);
  });
});
