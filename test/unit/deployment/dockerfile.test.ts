import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { validate } from 'dockerfile-utils';
import { buildContext, isIgnored, rulesOf } from '../../support/build-context.ts';
import {
  copiedInto,
  environmentOf,
  flagsOf,
  instructionsOf,
  lastOf,
  readStages,
  wordsOf,
} from '../../support/dockerfile.ts';

const IMAGES = ['node', 'one-node'];
/** Where the project says which Node it runs on. */
const NODE_VERSION = /VERSION = '([\d.]+)'/.exec(readFileSync('infra/setup/node.mjs', 'utf8'))?.[1];

const keywordsOf = (image: string) => instructionsOf(image).map((instruction) => instruction.getKeyword());

describe('the Dockerfile', () => {
  const stages = readStages();

  it('has nothing that a linter complains about', () => {
    expect(validate(readFileSync('Dockerfile', 'utf8')).map(({ message }) => message)).to.deep.equal([]);
  });

  it('builds on nothing but the pinned Node that the project runs on, and on its own stages', () => {
    const bases = stages.map(({ from }) => from).filter((from) => !stages.some(({ name }) => name === from));
    expect([...new Set(bases)]).to.deep.equal([`node:${NODE_VERSION}-bookworm-slim`]);
  });

  it('ends with the image of a cluster, which is what is built where none is named', () => {
    expect(stages.at(-1)?.name).to.equal('node');
  });

  it('has no ADD, which may fetch what nobody has checked', () => {
    const keywords = stages.flatMap(({ instructions }) => instructions.map((each) => each.getKeyword()));
    expect(keywords).not.to.include('ADD');
  });

  it('copies what the build context has', () => {
    const context = buildContext();
    const copied = stages.flatMap(({ name }) => copiedInto(name)).filter(({ stage }) => stage === undefined);
    const sources = copied.flatMap((each) => each.sources);
    const isThere = (source: string) => context.some((file) => file === source || file.startsWith(`${source}/`));
    expect(sources).to.include.members(['services', 'package.json']);
    expect(sources.filter((source) => !isThere(source))).to.deep.equal([]);
  });

  it('copies from stages that come before', () => {
    for (const [index, { name, instructions }] of stages.entries()) {
      const from = copiedInto(name).flatMap(({ stage }) => stage ?? []);
      const before = stages.slice(0, index).map((stage) => stage.name);
      if (instructions.length > 0) expect(before, name).to.include.members(from);
    }
  });

  it('installs what is locked, without what only development needs, and without install scripts', () => {
    const dependencies = stages.find(({ name }) => name === 'dependencies')?.instructions ?? [];
    const run = dependencies.find((instruction) => instruction.getKeyword() === 'RUN')?.getArgumentsContent();
    expect(run)
      .to.match(/^npm ci /)
      .and.to.include('--omit=dev')
      .and.to.include('--ignore-scripts');
  });

  it('installs from a lock that `npm ci` takes: with what other systems would need', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(name, path, Object.keys(packages))),
    );
    expect(missing).to.deep.equal([]);
  });

  for (const image of IMAGES) {
    describe(`image ${image}`, () => {
      it('runs as a user who is not root, named by number', () => {
        expect(lastOf(image, 'USER')?.getArgumentsContent()).to.match(/^[1-9]\d*:[1-9]\d*$/);
      });

      it('starts the services themselves, with no shell and no set-up between', () => {
        expect(wordsOf(lastOf(image, 'ENTRYPOINT'))).to.deep.equal([
          'node',
          '--no-allocation-site-pretenuring',
          '--disable-warning=ExperimentalWarning',
          'services/main.ts',
        ]);
      });

      it('has a health check in exec form, a stop signal and labels', () => {
        const check = lastOf(image, 'HEALTHCHECK');
        expect(flagsOf(check).join(' ')).to.match(/^interval=\d+s timeout=\d+s start-period=\d+s retries=\d+$/);
        expect(wordsOf(check)?.[0]).to.equal('node');
        expect(lastOf(image, 'STOPSIGNAL')?.getArgumentsContent()).to.equal('SIGTERM');
        expect(keywordsOf(image)).to.include('LABEL');
      });

      it('listens where others reach it, and says on which port', () => {
        const { HOST, PORT } = environmentOf(image);
        expect(HOST).to.equal('0.0.0.0');
        expect(lastOf(image, 'EXPOSE')?.getArgumentsContent()).to.equal(PORT);
      });

      it('writes below DATA_DIR, which is a volume, and /tmp alone', () => {
        const { DATA_DIR, NODE_COMPILE_CACHE } = environmentOf(image);
        expect(lastOf(image, 'VOLUME')?.getArgumentsContent()).to.equal(DATA_DIR);
        expect(NODE_COMPILE_CACHE).to.match(/^\/tmp\//);
      });

      it('holds no secret in its environment', () => {
        expect(Object.keys(environmentOf(image)).filter((name) => /SECRET|PASSWORD|KEY|URL/.test(name))).to.deep.equal(
          [],
        );
      });
    });
  }

  it('runs all roles in a node of a cluster, and the supervisor where it is alone', () => {
    expect(wordsOf(lastOf('node', 'CMD'))).to.deep.equal(['projector', 'relay', 'delivery', 'gateway']);
    expect(wordsOf(lastOf('one-node', 'CMD'))).to.deep.equal([]);
  });

  it('has nats-server in the image that needs one, and not in the other', () => {
    const fromNats = (image: string) => copiedInto(image).filter(({ stage }) => stage === 'nats-server');
    expect(fromNats('one-node')).to.have.length(1);
    expect(fromNats('node')).to.deep.equal([]);
  });
});

describe('the build context', () => {
  it('holds no test, no document, no secret and nothing that was installed', () => {
    const rooms = [...new Set(buildContext().map((file) => file.split('/')[0]))];
    expect(rooms).to.have.members([
      ...['LICENSE', 'package.json', 'package-lock.json'],
      ...['clients', 'domain', 'infra', 'projections', 'services'],
    ]);
    expect(buildContext().filter((file) => /\.md$|^infra\/(compose|k8s)\//.test(file))).to.deep.equal([]);
  });

  for (const [path, expected] of [
    ['a.ts', true],
    ['deep/a.ts', true],
    ['kept', false],
    ['kept/a.ts', false],
    ['kept/README.md', true],
    ['kept/deep/README.md', true],
    ['kept/out/a.ts', true],
    ['kept/outside.ts', false],
  ] as const) {
    it(`${expected ? 'leaves out' : 'holds'} ${path} by rules of this kind`, () => {
      expect(isIgnored(path, rulesOf('# a comment\n*\n!kept\nkept/out\n**/*.md\n'))).to.equal(expected);
    });
  }
});

/** Whether a package finds another where Node would look: below itself, and below all that it lies in. */
function isLocked(name: string, path: string, locked: readonly string[]): boolean {
  const places = path.split('node_modules/').map((_, index, parts) => parts.slice(0, index + 1).join('node_modules/'));
  return [...places, `${path}/`].some((place) =>
    locked.includes(`${place.replace(/([^/])$/, '$1/')}node_modules/${name}`),
  );
}
