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
import { environmentOf, lastOf, readStages } from '../../support/dockerfile.ts';

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
const namesIn = (services: Readonly<Record<string, Service>>, pattern: RegExp) =>
  Object.keys(services).filter((name) => pattern.test(name));

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

describe('the parts of infra/compose/compose.yaml', () => {
  const { services } = readCompose('compose.yaml');
  const eventstores = namesIn(services, /^eventstore-\d$/);
  const brokers = namesIn(services, /^nats-\d$/);
  const nodes = Object.keys(services).filter((name) => isOurs(services[name] as Service));
  const exporters = namesIn(services, /^nats-exporter-\d$/);
  const envOf = (name: string) => services[name]?.environment ?? {};
  const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found);

  it('are three EventStoreDB, three NATS and two nodes', () => {
    expect([eventstores.length, brokers.length, nodes.length, exporters.length]).to.deep.equal([3, 3, 2, 3]);
  });

  it('are known to each other: EventStoreDB', () => {
    for (const name of eventstores) {
      const env = envOf(name);
      const others = eventstores.filter((other) => other !== name).map((other) => `${other}:2113`);
      expect(env.EVENTSTORE_GOSSIP_SEED?.split(',')).to.have.members(others);
      expect([env.EVENTSTORE_NODE_HOST_ADVERTISE_AS, env.EVENTSTORE_REPLICATION_HOST_ADVERTISE_AS]).to.deep.equal([
        name,
        name,
      ]);
      expect(env.EVENTSTORE_CERTIFICATE_FILE).to.equal(`/certificates/${name}/node.crt`);
      expect(env.EVENTSTORE_CERTIFICATE_PRIVATE_KEY_FILE).to.equal(`/certificates/${name}/node.key`);
    }
    const hosts = /@([^?]+)\?tls=true&tlsCaFile=\/authorities\/eventstore\/ca\.crt/.exec(
      textOf('make-secrets.sh'),
    )?.[1];
    expect(hosts?.split(',')).to.have.members(eventstores.map((name) => `${name}:2113`));
  });

  it('are known to each other: NATS', () => {
    const config = textOf('nats/nats.conf');
    expect(matches(config, /"nats:\/\/(.*):6222"/g)).to.have.members(brokers);
    expect(config)
      .to.match(/^listen: "0\.0\.0\.0:4222"$/m)
      .and.to.match(/^ {2}listen: "0\.0\.0\.0:6222"$/m);
    for (const name of brokers) {
      expect(envOf(name)).to.deep.equal({
        SERVER_NAME: name,
        CERTIFICATE_FILE: `/certificates/${name}/node.crt`,
        KEY_FILE: `/certificates/${name}/node.key`,
      });
    }
    for (const name of nodes) {
      expect(envOf(name).NATS_URL?.split(',')).to.have.members(brokers.map((broker) => `nats://${broker}:4222`));
    }
  });

  it('have certificates made for them', () => {
    const script = textOf('setup/setup.sh');
    const numbers = /^for number in ([\d ]+); do$/m.exec(script)?.[1]?.split(' ');
    expect(numbers?.map((number) => `eventstore-${number}`)).to.have.members(eventstores);
    expect(numbers?.map((number) => `nats-${number}`)).to.have.members(brokers);
  });

  it('have node numbers of their own', () => {
    const numbers = nodes.map((name) => envOf(name).NODE_NUMBER);
    expect(new Set(numbers.filter(Boolean))).to.have.property('size', nodes.length);
  });

  it('are balanced: all nodes, at their port, by whether they are ready', () => {
    const config = textOf('balancer/haproxy.cfg');
    for (const backend of ['nodes', 'living']) {
      const section = new RegExp(`^backend ${backend}\\n((?: {2}.*\\n)+)`, 'm').exec(config)?.[1] ?? '';
      const servers = [...section.matchAll(/^ {2}server (\S+) (\S+) check$/gm)].map(([, name, at]) => ({ name, at }));
      const { PORT } = environmentOf('node');
      expect(servers).to.have.deep.members(nodes.map((name) => ({ name, at: `${name}:${PORT}` })));
    }
    expect(config).to.include('uri /readyz');
  });

  it('are scraped: each where it tells its metrics', () => {
    const config = parse(textOf('prometheus/prometheus.yaml')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const targets = Object.fromEntries(
      config.scrape_configs.map(({ job_name, static_configs }) => [
        job_name,
        static_configs.flatMap((each) => each.targets),
      ]),
    );
    expect(targets).to.deep.equal({
      prometheus: ['localhost:9090'],
      eventstore: eventstores.map((name) => `${name}:2113`),
      nats: exporters.map((name) => `${name}:7777`),
      balancer: ['balancer:8404'],
    });
    expect(textOf('balancer/haproxy.cfg')).to.match(/^ {2}bind :8404$/m);
    expect(exporters.map((name) => services[name]?.command?.at(-1))).to.deep.equal(
      brokers.map((name) => `http://${name}:8222`),
    );
  });

  it('are shown: a dashboard over that Prometheus', () => {
    const { datasources } = parse(textOf('grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: { uid: string; url: string }[];
    };
    expect(datasources).to.have.length(1);
    expect(datasources[0]).to.deep.include({ uid: 'prometheus', url: 'http://prometheus:9090' });
    const { panels } = JSON.parse(textOf('grafana/dashboards/webhooks.json')) as {
      panels: { title: string; targets: { datasource: { uid: string }; expr: string }[] }[];
    };
    expect(panels.length).to.be.above(5);
    for (const { title, targets } of panels) {
      expect(
        targets.map(({ datasource }) => datasource.uid),
        title,
      ).to.deep.equal(targets.map(() => 'prometheus'));
    }
  });

  it('are reached from outside through the balancer alone', () => {
    const open = Object.entries(services).filter(([, { ports = [] }]) =>
      ports.some((port) => !port.startsWith('127.0.0.1:')),
    );
    expect(open.map(([name]) => name)).to.deep.equal(['balancer']);
  });
});

/** docker's own plugin, or the older program. */
function composeCommand(): string[] | undefined {
  const commands = [['docker', 'compose'], ['docker-compose']];
  return commands.find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0);
}
