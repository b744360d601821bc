import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { METRICS, type Metric } from '../../../infra/metrics/names.ts';
import { COMPOSE_DIR, readCompose, textOf } from '../../support/compose.ts';
import { parsePromql } from '../../support/promql.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly format?: string }[];
}

const ALERTS = 'prometheus/alerts.yaml';
const metrics: readonly Metric[] = Object.values(METRICS);
const OURS = /^(?:webhooks|process|nodejs)_/;
/** What others serve: the balancer, the exporters of NATS, EventStoreDB, and Prometheus itself. */
const OF_OTHERS = /^(?:haproxy|jetstream|eventstore)_|^up$/;
/** What Prometheus puts on every series that it scrapes, and the gateway on every one of ours. */
const ALWAYS = ['job', 'instance', 'process'];
const RATES = ['rate', 'increase'];

const { groups } = parse(textOf(ALERTS)) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(textOf('grafana/dashboards/webhooks.json')) as { panels: Panel[] };
const adapter = parse(readFileSync('infra/k8s/values/prometheus-adapter.yaml', 'utf8')) as {
  rules: { external: { seriesQuery: string; metricsQuery: string }[] };
};

/** Everything that is asked of Prometheus, by who asks. */
const EXPRESSIONS: readonly (readonly [string, string])[] = [
  ...rules.map(({ alert, expr }) => [`the alert ${alert}`, expr] as const),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`the panel "${title}"`, expr] as const)),
  ...adapter.rules.external.flatMap(({ seriesQuery, metricsQuery }) =>
    [seriesQuery, metricsQuery].map((expr) => ['the autoscaler', expr] as const),
  ),
];

/** The metric of a series, whose name a histogram adds to. */
function metricOf(name: string): Metric | undefined {
  const isOf = (metric: Metric) =>
    metric.type === 'histogram'
      ? ['_bucket', '_sum', '_count'].some((part) => metric.name + part === name)
      : metric.name === name;
  return metrics.find(isOf);
}

describe('what is asked of Prometheus', () => {
  for (const [who, expr] of EXPRESSIONS) {
    it(`by ${who} is served: ${expr.trim()}`, () => {
      const { selected, groupedBy } = parsePromql(expr);
      expect(selected).not.to.deep.equal([]);
      for (const { name, matched, within } of selected) {
        if (!OURS.test(name)) {
          expect(name).to.match(OF_OTHERS);
          continue;
        }
        const metric = metricOf(name);
        expect(metric, name).not.to.equal(undefined);
        const { type, labels } = metric as Metric;
        const known = [...labels, ...ALWAYS, ...(type === 'histogram' ? ['le'] : [])];
        for (const label of [...matched, ...groupedBy]) expect(known, `${label} of ${name}`).to.include(label);
        const isRated = within !== undefined && RATES.includes(within);
        expect(isRated, `${name} is a ${type}`).to.equal(type !== 'gauge');
      }
    });
  }

  it('is no PromQL where it is none', () => {
    for (const wrong of ['sum(', 'rate(a[5m]', 'a{b=c}', 'sum by job (a)']) expect(() => parsePromql(wrong)).to.throw();
  });
});

describe('the alerts', () => {
  it('wait before they speak, and say how bad it is and what it is about', () => {
    expect(rules.length).to.be.above(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).to.equal(rules.length);
    for (const { alert, for: wait, labels, annotations } of rules) {
      expect(wait, alert).to.match(/^\d+m$/);
      expect(['warning', 'critical'], alert).to.include(labels.severity);
      expect(annotations.summary, alert).to.match(/\.$/);
    }
  });

  it('are loaded by Prometheus, which finds them where they are mounted', () => {
    const { rule_files } = parse(textOf('prometheus/prometheus.yaml')) as { rule_files: string[] };
    expect(rule_files).to.deep.equal(['alerts.yaml']);
    expect(readCompose('compose.yaml').services.prometheus?.volumes).to.include(
      './prometheus/alerts.yaml:/etc/prometheus/alerts.yaml:ro',
    );
  });

  it('are explained, each of them', () => {
    const [, section = ''] = /\n## Alerts\n([\s\S]*)/.exec(readFileSync('docs/observability.md', 'utf8')) ?? [];
    const explained = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(explained).to.have.members(rules.map(({ alert }) => alert));
  });

  it('are as promtool takes them, and speak when they should', function () {
    const promtool = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8', cwd: import.meta.dirname });
    if (promtool('--version').error) {
      console.log('      there is no promtool here: checked by our own parser alone');
      this.skip();
    }
    const check = promtool('check', 'rules', join(COMPOSE_DIR, ALERTS));
    expect(check.status, check.stdout + check.stderr).to.equal(0);
    const test = promtool('test', 'rules', 'alerts.promtool.yaml');
    expect(test.status, test.stdout + test.stderr).to.equal(0);
  });
});

describe('the dashboard', () => {
  it('has panels of its own places, that ask for something', () => {
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).to.be.at.most(24);
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`);
    });
    expect(new Set(cells).size, 'none lies over another').to.equal(cells.length);
    for (const { type, title, targets } of panels)
      expect(targets?.length ?? 0, title).to.be.above(type === 'row' ? -1 : 0);
  });
});
