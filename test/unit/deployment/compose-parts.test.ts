import { expect } from 'chai';
import { parse } from 'yaml';
import { readCompose, type Service, textOf } from '../../support/compose.ts';
import { environmentOf } from '../../support/dockerfile.ts';

const isOurs = ({ build }: Service) => build !== undefined;
const namesIn = (services: Readonly<Record<string, Service>>, pattern: RegExp) =>
  Object.keys(services).filter((name) => pattern.test(name));

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
      webhooks: nodes.map((name) => `${name}:${environmentOf('node').PORT}`),
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
      panels: { title: string; targets?: { datasource: { uid: string }; expr: string }[] }[];
    };
    expect(panels.length).to.be.above(5);
    for (const { title, targets = [] } of panels) {
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
