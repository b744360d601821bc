import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import { parse } from 'yaml';
import { VARIABLES } from '../../../infra/settings.ts';
import {
  COMPOSE_DIR,
  mountsOf,
  readCompose,
  runsOnce,
  type Service,
  secretsOf,
  textOf,
} from '../../support/compose.ts';
import { lastOf, readStages } from '../../support/dockerfile.ts';

const FILES = ['compose.yaml', 'one-node.yaml'];
/** `name:1.2.3`, `host/name:v1.2.3-variant`: never a tag that moves on to the next version. */
const PINNED = /^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)?$/;
const DRAIN_S = 20;

// Its own schema's address is spelt otherwise than ajv knows it.
const { $schema, ...schema } = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas/compose-spec.json'), 'utf8'));
const ajv = new Ajv({ allErrors: true, strict: false });
addFormats.default(ajv);
const isCompose = ajv.compile(schema);

const isOurs = ({ build }: Service) => build !== undefined;

for (const file of FILES) {
  describe(`infra/compose/${file}`, () => {
    const compose = readCompose(file);
    const { services, volumes = {}, secrets = {} } = compose;
    const all = Object.entries(services);
    const lasting = all.filter(([name]) => !runsOnce(compose, name));

    /** The names of those that a rule does not hold for. */
    const breaking = (rule: (service: Service, name: string) => boolean, of = all) =>
      of.filter(([name, service]) => !rule(service, name)).map(([name]) => name);

    it('is what the Compose Specification takes', () => {
      expect(isCompose(parse(textOf(file), { merge: true })), JSON.stringify(isCompose.errors)).to.equal(true);
    });

    it('is what docker compose takes', function () {
      const [command, ...args] = composeCommand() ?? [];
      if (!command) {
        console.log('      docker compose is not installed: the schema alone was asked');
        this.skip();
      }
      const run = spawnSync(command, [...args, '-f', join(COMPOSE_DIR, file), 'config', '-q'], { encoding: 'utf8' });
      expect(run.status, run.stderr).to.equal(0);
    });

    it('pins every image', () => {
      expect(breaking(({ image }) => PINNED.test(image))).to.deep.equal([]);
    });

    it('builds our images from stages that the Dockerfile has, which have the health checks', () => {
      const targets = all.flatMap(([, { build }]) => build?.target ?? []);
      expect(readStages().map(({ name }) => name)).to.include.members(targets);
      expect(targets.filter((target) => !lastOf(target, 'HEALTHCHECK'))).to.deep.equal([]);
      expect(breaking(({ build }) => !build || build.context === '../..')).to.deep.equal([]);
    });

    it('has a health check for everything that stays', () => {
      expect(breaking((service) => isOurs(service) || service.healthcheck?.test[0] === 'CMD', lasting)).to.deep.equal(
        [],
      );
    });

    it('limits what everything may take', () => {
      expect(
        breaking(({ deploy }) => {
          const { cpus, memory } = deploy?.resources?.limits ?? {};
          return Number(cpus) > 0 && /^\d+[mg]$/.test(memory ?? '');
        }),
      ).to.deep.equal([]);
    });

    it('takes from everything the rights that it does not need', () => {
      expect(breaking(({ cap_drop }) => cap_drop?.includes('ALL') === true)).to.deep.equal([]);
      expect(breaking(({ security_opt }) => security_opt?.includes('no-new-privileges:true') === true)).to.deep.equal(
        [],
      );
      const writable = breaking(({ read_only }) => read_only === true);
      expect(writable.filter((name) => !/^eventstore-/.test(name))).to.deep.equal([]);
    });

    it('runs as root only what hands volumes to others and ends, and gives nothing the rights of the machine', () => {
      const asRoot = breaking(({ user = 'of its image' }) => !/^(0|root)(:|$)/.test(user));
      expect(asRoot.filter((name) => name !== 'setup')).to.deep.equal([]);
      expect(
        breaking(({ privileged, network_mode, pid, ipc }) => !privileged && network_mode !== 'host' && !pid && !ipc),
      ).to.deep.equal([]);
      expect(breaking(({ volumes = [] }) => !JSON.stringify(volumes).includes('docker.sock'))).to.deep.equal([]);
    });
    it('opens no port to others but the API', () => {
      const open = Object.values(services).flatMap(({ ports = [] }) => ports.map(String));
      expect(open.filter((port) => !port.startsWith('127.0.0.1:'))).to.deep.equal(['8080:8080']);
    });
    it('starts everything again but what runs once, and that before others', () => {
      expect(breaking(({ restart }) => restart === 'unless-stopped', lasting)).to.deep.equal([]);
      for (const [, { depends_on = {} }] of all)
        expect(Object.keys(services)).to.include.members(Object.keys(depends_on));
    });

    it('gives our nodes settings that there are, and longer to stop than they drain', () => {
      for (const [name, { environment = {}, stop_grace_period = '' }] of all.filter(([, each]) => isOurs(each))) {
        expect(VARIABLES, name).to.include.members(Object.keys(environment));
        expect(Number(/^(\d+)s$/.exec(stop_grace_period)?.[1]), name).to.be.above(DRAIN_S);
      }
    });

    it('has no secret in an environment, a command or a label', () => {
      const names = all.flatMap(([, { environment = {} }]) => Object.keys(environment));
      expect(names.filter((name) => /PASSWORD|SECRET|TOKEN|KEY$/.test(name) && !/_FILE$/.test(name))).to.deep.equal([]);
      const texts = all.flatMap(([, { environment = {}, command = [] }]) => [
        ...Object.values(environment),
        ...command,
      ]);
      expect(texts.filter((text) => /:\/\/[^/]*@|[0-9a-f]{32}/.test(text))).to.deep.equal([]);
    });

    it('gives each service the secrets that it names, and no other', () => {
      for (const [name, service] of all) {
        const mounted = mountsOf(service).filter(({ source }) => source.startsWith('./'));
        const configs = mounted.flatMap(({ source }) => (/\.\w+$/.test(source) ? textOf(source) : []));
        const spoken = [JSON.stringify(service.environment ?? {}), ...configs].join('\n');
        const given = secretsOf(service);
        const read = spoken.match(/\/run\/secrets\/\w+/g) ?? [];
        const included = [...spoken.matchAll(/^include (\S+)$/gm)].map(([, path]) => `/etc/nats/${path}`);
        expect(
          given.map(({ path }) => path),
          name,
        ).to.have.members([...new Set([...read, ...included])]);
      }
    });

    it('declares all volumes and secrets that are used, and no other', () => {
      const used = all.flatMap(([, service]) => mountsOf(service).map(({ source }) => source));
      const named = used.filter((source) => !source.startsWith('.'));
      expect(Object.keys(volumes)).to.have.members([...new Set(named)]);
      const given = all.flatMap(([, service]) => secretsOf(service).map(({ name }) => name));
      expect(Object.keys(secrets)).to.have.members([...new Set(given)]);
    });

    it('mounts files that there are, for reading alone', () => {
      const mounts = all.flatMap(([, service]) => mountsOf(service)).filter(({ source }) => source.startsWith('.'));
      expect(mounts.filter(({ source }) => !existsSync(join(COMPOSE_DIR, source)))).to.deep.equal([]);
      expect(mounts.filter(({ isReadOnly }) => !isReadOnly)).to.deep.equal([]);
    });

    it('keeps what each of our nodes writes in a volume of its own', () => {
      const ours = all.filter(([, each]) => isOurs(each));
      const data = ours.map(([, service]) => mountsOf(service).find(({ target }) => target === '/data')?.source);
      expect(new Set(data.filter(Boolean))).to.have.property('size', ours.length);
    });
  });
}

describe('the schema of the Compose Specification', () => {
  it('refuses what is misspelt', () => {
    expect(isCompose({ services: { one: { image: 'one:1.0.0', health_check: {} } } })).to.equal(false);
  });
});

/** docker's own plugin, or the older program. */
function composeCommand(): string[] | undefined {
  const commands = [['docker', 'compose'], ['docker-compose']];
  return commands.find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0);
}
