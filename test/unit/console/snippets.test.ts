import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { SNIPPETS } from '../../../services/console/snippets.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"id":1,"event_name":"order.created","data":{"text":"Grüße\\n"}}';

interface Case {
  readonly timestamp: number;
  readonly signature: string;
  readonly body: string;
}

/** How each snippet is run, and what it says of a genuine delivery: absent where its language may be missing on the machine. */
const RUNNERS: Readonly<Record<string, { command: string; file: string; whole: (snippet: string) => string }>> = {
  Shell: {
    command: 'bash',
    file: 'verify.sh',
    whole: (snippet) => `verdict=$(${snippet}\n)\n[ "$verdict" = valid ] && echo true || echo false`,
  },
  TypeScript: {
    ...{ command: process.execPath, file: 'verify.ts' },
    whole: (snippet) => `${snippet}
const { SECRET = '', ID = '', TIMESTAMP = '', SIGNATURE = '', TEXT = '' } = process.env;
console.log(isGenuine(SECRET, { 'webhook-id': ID, 'webhook-timestamp': TIMESTAMP, 'webhook-signature': SIGNATURE }, TEXT));`,
  },
  Python: {
    ...{ command: 'python3', file: 'verify.py' },
    whole: (snippet) => `${snippet}
import os
e = os.environ
headers = {"webhook-id": e["ID"], "webhook-timestamp": e["TIMESTAMP"], "webhook-signature": e["SIGNATURE"]}
print(str(is_genuine(e["SECRET"], headers, e["TEXT"].encode())).lower())`,
  },
  Go: {
    ...{ command: 'go', file: 'verify.go' },
    whole: (
      snippet,
    ) => `${snippet.replace('package receiver', 'package main').replace('import (', 'import (\n\t"fmt"\n\t"os"')}
func main() {
	header := http.Header{}
	header.Set("webhook-id", os.Getenv("ID"))
	header.Set("webhook-timestamp", os.Getenv("TIMESTAMP"))
	header.Set("webhook-signature", os.Getenv("SIGNATURE"))
	fmt.Println(IsGenuine(os.Getenv("SECRET"), header, []byte(os.Getenv("TEXT"))))
}`,
  },
  Ruby: {
    ...{ command: 'ruby', file: 'verify.rb' },
    whole: (snippet) => `${snippet}
headers = { "webhook-id" => ENV["ID"], "webhook-timestamp" => ENV["TIMESTAMP"], "webhook-signature" => ENV["SIGNATURE"] }
puts genuine?(ENV["SECRET"], headers, ENV["TEXT"])`,
  },
};

describe('the snippets that verify a delivery', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'webhooks-snippets-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const nowS = () => Math.floor(Date.now() / 1_000);
  const signed = (timestamp: number, body = BODY) =>
    new Webhook(SECRET).sign('msg_1', new Date(timestamp * 1_000), body);
  const cases = (): Record<string, Case & { expected: boolean }> => {
    const timestamp = nowS();
    const genuine = { timestamp, signature: signed(timestamp), body: BODY, expected: true };
    return {
      genuine,
      'signed by two secrets': { ...genuine, signature: `v1,AAAA ${genuine.signature} v1a,BBBB` },
      'another body': { ...genuine, body: `${BODY} `, expected: false },
      'no signature': { ...genuine, signature: 'v1,', expected: false },
      'too old': { ...genuine, timestamp: timestamp - 600, signature: signed(timestamp - 600), expected: false },
    };
  };

  it('are in five languages', () => {
    expect(Object.keys(SNIPPETS)).to.have.members(Object.keys(RUNNERS)).and.to.have.length(5);
  });

  for (const [language, { command, file, whole }] of Object.entries(RUNNERS)) {
    it(`tell what is genuine in ${language}`, function () {
      const tool = command === 'bash' ? 'openssl' : command;
      if (spawnSync(tool, [command === 'go' ? 'version' : '--version']).error) {
        console.log(`      ${language}: there is no ${tool} on this machine`);
        return this.skip();
      }
      const program = join(folder, file);
      writeFileSync(program, whole(SNIPPETS[language] as string));
      for (const [name, { timestamp, signature, body, expected }] of Object.entries(cases())) {
        const bodyFile = join(folder, 'body.json');
        writeFileSync(bodyFile, body);
        const said = {
          SECRET,
          ID: 'msg_1',
          TIMESTAMP: String(timestamp),
          SIGNATURE: signature,
          TEXT: body,
          BODY: bodyFile,
        };
        const args = command === 'go' ? ['run', program] : [program];
        const { stdout, stderr } = spawnSync(command, args, { env: { ...process.env, ...said }, encoding: 'utf8' });
        expect(stdout.trim(), `${name} ${stderr}`).to.equal(String(expected));
      }
    });
  }
});
