import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { METRICS } from '../../../infra/metrics/names.ts';
import { VARIABLES } from '../../../infra/settings.ts';
import { environmentOf, lastOf, wordsOf } from '../../support/dockerfile.ts';
import { schemaErrors, typeErrors } from '../../support/kubernetes-schemas.ts';
import { kustomize, type Manifest } from '../../support/kustomize.ts';

const DIRECTORIES = ['infra/k8s/base', 'infra/k8s/overlays/production'];
const DRAIN_S = 20;
/** Node numbers are 0 to 31. */
const MOST_NODES = 32;

for (const directory of DIRECTORIES) {
  describe(directory, () => {
    const manifests = kustomize(directory);
    const of = (kind: string) => manifests.find((manifest) => manifest.kind === kind) as Manifest;
    const nodes = of('StatefulSet');
    const pod = nodes.spec.template.spec;
    const [container] = pod.containers;
    const labels = nodes.spec.template.metadata.labels;

    for (const manifest of manifests) {
      it(`has a ${manifest.kind} ${manifest.metadata.name} as Kubernetes takes it`, async () => {
        expect(await schemaErrors(manifest)).to.deep.equal([]);
      });
    }

    it('has no field that Kubernetes does not know', () => {
      expect(typeErrors(manifests)).to.equal('');
    }).timeout(60_000);

    it('is what kustomize makes of it', function () {
      const [command, ...args] = kustomizeCommand() ?? [];
      if (!command) {
        console.log('      neither kustomize nor a kubectl with it is installed: resolved by our own few lines alone');
        this.skip();
      }
      const { status, stdout, stderr } = spawnSync(command, [...args, directory], { encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      expect(parseAllDocuments(stdout).map((document) => document.toJS())).to.have.deep.members(manifests);
    });

    it('pins the image', () => {
      expect(container.image).to.match(/:\d+\.\d+\.\d+$/);
    });

    it('runs what the image runs, at its port', () => {
      expect(container.args).to.deep.equal(wordsOf(lastOf('node', 'CMD')));
      const { PORT } = environmentOf('node');
      expect(container.ports).to.deep.equal([{ name: 'http', containerPort: Number(PORT) }]);
    });

    it('gives it settings that there are, and secrets as files of the secret that it mounts', () => {
      const names = container.env.map(({ name }: { name: string }) => name);
      expect(VARIABLES).to.include.members(names);
      const files = container.env.filter(({ name }: { name: string }) => name.endsWith('_FILE'));
      const { mountPath } = container.volumeMounts.find(({ name }: { name: string }) => name === 'secrets');
      for (const { name, value } of files) expect(value.startsWith(`${mountPath}/`), name).to.equal(true);
      expect(
        names.filter((name: string) => /SECRET|PASSWORD|KEY$/.test(name) && !name.endsWith('_FILE')),
      ).to.deep.equal([]);
    });

    it('gives each node the number of its pod', () => {
      const number = container.env.find(({ name }: { name: string }) => name === 'NODE_NUMBER');
      expect(number.valueFrom.fieldRef.fieldPath).to.equal("metadata.labels['apps.kubernetes.io/pod-index']");
    });

    it('asks whether it lives and whether it is ready, at the port that it has', () => {
      const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet);
      const at = (path: string) => ({ path, port: 'http' });
      expect(asked).to.deep.equal([at('/healthz'), at('/healthz'), at('/readyz')]);
    });

    it('lets it drain', () => {
      const { seconds } = container.lifecycle.preStop.sleep;
      expect(pod.terminationGracePeriodSeconds).to.be.above(seconds + DRAIN_S);
    });

    it('keeps to the restricted pod security standard', () => {
      expect(pod.securityContext).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`).to.equal(
        lastOf('node', 'USER')?.getArgumentsContent(),
      );
      expect(container.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(pod.automountServiceAccountToken).to.equal(false);
      expect(of('ServiceAccount')).to.deep.include({ automountServiceAccountToken: false });
      expect(of('ServiceAccount').metadata.name).to.equal(pod.serviceAccountName);
    });

    it('lets it write where the image does, and mounts only what there is', () => {
      const { DATA_DIR, NODE_COMPILE_CACHE } = environmentOf('node');
      const paths = container.volumeMounts.filter(({ readOnly }: { readOnly?: boolean }) => !readOnly);
      expect(paths.map(({ mountPath }: { mountPath: string }) => mountPath)).to.have.members([DATA_DIR, '/tmp']);
      expect(NODE_COMPILE_CACHE).to.match(/^\/tmp\//);
      const claims = nodes.spec.volumeClaimTemplates.map(({ metadata }: Manifest) => metadata.name);
      const volumes = [...claims, ...pod.volumes.map(({ name }: { name: string }) => name)];
      expect(volumes).to.have.members(container.volumeMounts.map(({ name }: { name: string }) => name));
    });

    it('limits what it may take', () => {
      const { requests, limits } = container.resources;
      expect(requests).to.have.keys('cpu', 'memory');
      expect(limits).to.have.keys('cpu', 'memory');
    });

    it('finds its pods by the labels that they have', () => {
      const services = manifests.filter(({ kind }) => kind === 'Service');
      const selectors = [
        ...services.map(({ spec }) => spec.selector),
        ...[nodes, of('PodDisruptionBudget')].map(({ spec }) => spec.selector.matchLabels),
        of('NetworkPolicy').spec.podSelector.matchLabels,
        ...pod.topologySpreadConstraints.map((each: Manifest) => each.labelSelector.matchLabels),
      ];
      expect(selectors).to.have.length(7);
      for (const selector of selectors) {
        expect(Object.keys(selector)).not.to.deep.equal([]);
        expect(labels).to.deep.include(selector);
      }
      expect(services.map(({ metadata }) => metadata.name)).to.include(nodes.spec.serviceName);
    });

    it('lets it reach what its settings name, and the internet, and no private address', () => {
      const { egress } = of('NetworkPolicy').spec;
      const ports = egress.flatMap((rule: Manifest) => (rule.ports ?? []).map(({ port }: { port: number }) => port));
      const broker = container.env.find(({ name }: { name: string }) => name === 'NATS_URL').value;
      expect(ports).to.include.members([53, 2113, Number(new URL(broker).port)]);
      const blocks = egress.flatMap(({ to }: Manifest) => to.flatMap(({ ipBlock }: Manifest) => ipBlock ?? []));
      expect(blocks.map(({ cidr }: { cidr: string }) => cidr)).to.have.members(['0.0.0.0/0', '::/0']);
      expect(blocks[0].except).to.include.members(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16']);
    });
  });
}

describe('infra/k8s/overlays/production', () => {
  const manifests = kustomize('infra/k8s/overlays/production');
  const of = (kind: string) => manifests.find((manifest) => manifest.kind === kind) as Manifest;
  const nodes = of('StatefulSet');

  it('scales the nodes by the age of the queue, and leaves their number to that', () => {
    const { scaleTargetRef, minReplicas, maxReplicas, metrics } = of('HorizontalPodAutoscaler').spec;
    const { apiVersion, kind, metadata } = nodes;
    expect(scaleTargetRef).to.deep.equal({ apiVersion, kind, name: metadata.name });
    expect(nodes.spec).not.to.have.property('replicas');
    expect(minReplicas).to.be.at.least(2);
    expect(maxReplicas).to.be.above(minReplicas).and.at.most(MOST_NODES);
    expect(metrics[0].external.metric.name).to.equal(METRICS.queueAge.name);
  });

  it('has that metric made of what the nodes tell', () => {
    const { rules } = parse(readFileSync('infra/k8s/values/prometheus-adapter.yaml', 'utf8'));
    expect(rules.external.map(({ name }: { name: { as: string } }) => name.as)).to.deep.equal([METRICS.queueAge.name]);
    expect(rules.external[0].seriesQuery).to.equal(METRICS.queueAge.name);
    expect(rules.external[0].metricsQuery).to.equal(`max(${METRICS.queueAge.name})`);
  });

  it('puts everything in its namespace, which holds pods to the restricted standard', () => {
    const { name, labels } = of('Namespace').metadata;
    expect(labels).to.deep.include({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const others = manifests.filter(({ kind }) => kind !== 'Namespace');
    expect(others.filter(({ metadata }) => metadata.namespace !== name)).to.deep.equal([]);
  });

  it('sends what comes from outside to the service', () => {
    const { backend } = of('Ingress').spec.rules[0].http.paths[0];
    const service = manifests.find(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === backend.service.name,
    );
    expect(service?.spec.ports.map(({ name }: { name: string }) => name)).to.include(backend.service.port.name);
  });

  it('has what it changes of the base changed', () => {
    const [container] = nodes.spec.template.spec.containers;
    expect(container.image).to.equal('registry.example.com/webhooks:0.1.0');
    expect(container.resources.limits.memory).to.equal('2Gi');
    expect(container.env).not.to.deep.equal([]);
  });
});

describe('what is held against the schemas of Kubernetes', () => {
  const [service] = kustomize('infra/k8s/base').filter(({ kind }) => kind === 'Service') as [Manifest];

  it('is refused with a value of another type', async () => {
    const wrong = { ...service, spec: { ...service.spec, ports: [{ port: 'eighty' }] } };
    expect(await schemaErrors(wrong)).to.have.length(1);
  });

  it('is refused with a field that is misspelt', () => {
    const wrong = { ...service, spec: { ...service.spec, selectors: {} } };
    expect(typeErrors([wrong])).to.match(/"?selectors"?' does not exist/);
  }).timeout(60_000);
});

/** kustomize, or the one that is part of kubectl, where it knows `patches`, as from version 4 on. */
function kustomizeCommand(): string[] | undefined {
  const commands = [
    { ask: ['kustomize', 'version'], build: ['kustomize', 'build'] },
    { ask: ['kubectl', 'version', '--client'], build: ['kubectl', 'kustomize'] },
  ];
  return commands.find(({ ask: [command = '', ...args] }) => {
    const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
    return Number(/(?:kustomize(?: version:|\/) ?|^)v(\d+)\./im.exec(stdout ?? '')?.[1]) >= 4;
  })?.build;
}
