import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { METRICS, type Metric } from '../../../infra/metrics/names.ts';

describe('docs/observability.md', () => {
  const text = readFileSync('docs/observability.md', 'utf8');
  const metrics: readonly Metric[] = Object.values(METRICS);

  it('has the row of each metric, and no other', () => {
    const rows = text.split('\n').filter((line) => /^\| `(?:webhooks|process|nodejs)_/.test(line));
    const expected = metrics.map(({ name, type, labels, help }) => {
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`.replace(
        '|  |',
        '| |',
      );
    });
    expect(rows).to.have.members(expected);
  });

  it('says what each label can be', () => {
    const labels = new Set(metrics.flatMap((metric) => metric.labels));
    for (const label of labels) expect(text, label).to.match(new RegExp(`^\\| \`${label}\` \\| \\S`, 'm'));
  });
});
