import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

/** The set-up is plain JavaScript, since it runs before anything else can. */
const load = (file: string) => import(new URL(`../../../infra/setup/${file}`, import.meta.url).href);

describe('the set-up', () => {
  let root: string;
  const path = (...parts: string[]) => join(root, ...parts);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'webhooks-setup-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  describe('dependencies', () => {
    async function areInstalled(): Promise<boolean> {
      return (await load('dependencies.mjs')).areInstalled(root);
    }
    async function install() {
      const { lockHash } = await load('dependencies.mjs');
      mkdirSync(path('node_modules'));
      writeFileSync(path('node_modules/.locked-by'), lockHash(root));
    }
    beforeEach(() => writeFileSync(path('package-lock.json'), '{"a":1}'));

    it('are missing where nothing, or something else, installed them', async () => {
      expect(await areInstalled()).to.equal(false);
      mkdirSync(path('node_modules'));
      expect(await areInstalled()).to.equal(false);
    });

    it('are there once the set-up has installed what is locked, until the lock changes', async () => {
      await install();
      expect(await areInstalled()).to.equal(true);
      writeFileSync(path('package-lock.json'), '{"a":2}');
      expect(await areInstalled()).to.equal(false);
    });

    it('must be as they are locked, but for binaries for a system that the lock does not know', async () => {
      const { checkLocked } = await load('dependencies.mjs');
      const locked = { a: { version: '1.0.0' } };
      checkLocked(locked, { a: { version: '1.0.0' }, binary: { version: '1.0.0', optional: true } });
      expect(() => checkLocked(locked, { a: { version: '1.0.1' } })).to.throw('does not lock a 1.0.1');
      expect(() => checkLocked(locked, { b: { version: '1.0.0' } })).to.throw('does not lock b 1.0.0');
    });
  });

  it('goes on with a Node that is new enough, and no other', async () => {
    const { isEnough } = await load('node.mjs');
    expect(['24.21.0', '24.22.1', '25.0.0', '26.1.0'].filter((version) => !isEnough(version))).to.deep.equal([]);
    expect(['20.20.2', '22.99.0', '24.20.9'].filter((version) => isEnough(version))).to.deep.equal([]);
  });

  describe('putting something in place', () => {
    async function put(content: string, meanwhile: () => void = () => {}) {
      const { putInPlace } = await load('staging.mjs');
      return putInPlace(root, path('place'), async (staging: string) => {
        mkdirSync(join(staging, 'made'));
        writeFileSync(join(staging, 'made/content'), content);
        meanwhile();
        return join(staging, 'made');
      });
    }
    const inPlace = () => readFileSync(path('place/content'), 'utf8');

    it('replaces what was there as a whole, and leaves nothing else', async () => {
      await put('one');
      writeFileSync(path('place/half'), '');
      await put('two');
      expect(inPlace()).to.equal('two');
      expect(existsSync(path('place/half'))).to.equal(false);
      expect(readdirSync(path('.runtime'))).to.deep.equal([]);
    });

    it('leaves in place what is there where making fails', async () => {
      await put('one');
      const failing = put('two', () => {
        throw new Error('cut off');
      });
      expect(await failing.catch((error: Error) => error.message)).to.equal('cut off');
      expect(inPlace()).to.equal('one');
    });

    it('works for two at once', async () => {
      await Promise.all([put('same'), put('same'), put('same')]);
      expect(inPlace()).to.equal('same');
      expect(readdirSync(path('.runtime'))).to.deep.equal([]);
    });

    it('sweeps what a killed set-up has left', async () => {
      // Above the largest pid of any system.
      mkdirSync(path('.runtime/staging-99999999-abc/half'), { recursive: true });
      await put('one');
      expect(readdirSync(path('.runtime'))).to.deep.equal([]);
    });
  });
});
