import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Figures } from '../../bench/figures.ts';
import { bounds, costs, scales } from '../../bench/simulate/tables.ts';

const PAGE = readFileSync('docs/scaling.md', 'utf8');
/** What the page says of the usual cell. */
const NODES = 3;
const MAX_PER_S = 8_547.009;

/** The cells of the rows of the table that has this heading. @throws Error where there is none */
function rowsOf(heading: string): string[][] {
  const [, after] = PAGE.split(`${heading}\n`);
  if (after === undefined) throw new Error(`no table "${heading}"`);
  const lines = after.split('\n').slice(1);
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const whole = (figure: Figures[string] | undefined): string => Math.round(Number(figure)).toLocaleString('en-US');

describe('what docs/scaling.md says without a simulation', () => {
  it('of bounds is what the law says', () => {
    const figures = bounds();
    const rows = rowsOf('| nodes | first | second | third |');
    expect(rows).to.have.length(7);
    for (const [nodes, ...said] of rows) {
      const of = Object.entries(figures).filter(([name]) => name.startsWith(`bound_start_${nodes} `));
      expect(said).to.deep.equal(of.map(([name, perS]) => `${name.split(' ')[1]} ${whole(perS)}`));
    }
  });

  it('of larger rates is what the law says', () => {
    const figures = scales(NODES, MAX_PER_S);
    const rows = rowsOf('| | events/s | cells | nodes | cores, engines included | of them in use | facts a day |');
    const names = ['per_s', 'cells', 'nodes', 'cores', 'cores_in_use', 'million_facts_a_day'];
    expect(rows.map(([scale]) => scale)).to.deep.equal(['10×', '100×', '10,000×']);
    for (const [scale, ...said] of rows) {
      const of = names.map((name) => whole(figures[`scale_${scale?.replace(/[,×]/g, '')}x ${name}`]));
      expect(said.map((cell) => cell.replace(' million', ''))).to.deep.equal(of);
    }
  });

  it('of costs is what the law says', () => {
    const figures = costs(NODES, MAX_PER_S);
    const rows = rowsOf(PAGE.match(/^\| \| cores in use, hours .*$/m)?.[0] ?? 'costs');
    const names = ['usual', 'fan_out_10', 'attempts_1_05', 'nodes_16'];
    expect(rows).to.have.length(names.length);
    for (const [index, name] of names.entries()) {
      const of = Object.entries(figures).filter(([figure]) => figure.startsWith(`million_${name} `));
      expect(rows[index]?.slice(1)).to.deep.equal(of.map(([, figure]) => Number(figure).toFixed(2)));
    }
  });
});
