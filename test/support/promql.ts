import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** What an expression asks for: names of series with the labels that are looked at, and the functions that they are given to. */
export interface Selected {
  readonly name: string;
  readonly matched: readonly string[];
  /** The function around it, if there is one. */
  readonly within: string | undefined;
}

export interface Parsed {
  readonly selected: readonly Selected[];
  /** Labels that are summed by. */
  readonly groupedBy: readonly string[];
}

/** @throws Error for what is no PromQL, with where */
export function parsePromql(expr: string): Parsed {
  const selected: Selected[] = [];
  const groupedBy: string[] = [];
  const text = ({ from, to }: { from: number; to: number }) => expr.slice(from, to);
  parser.parse(expr).iterate({
    enter({ type, node, from }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expr}`);
      if (type.name === 'VectorSelector') selected.push(selectedBy(node, text));
      if (type.name === 'GroupingLabels') groupedBy.push(...node.getChildren('LabelName').map(text));
    },
  });
  return { selected, groupedBy };
}

function selectedBy(node: SyntaxNode, text: (of: SyntaxNode) => string): Selected {
  const name = node.getChild('Identifier');
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  const matched = matchers.map((matcher) => text(matcher.getChild('LabelName') as SyntaxNode));
  return { name: name ? text(name) : '', matched, within: functionAround(node, text) };
}

function functionAround(node: SyntaxNode, text: (of: SyntaxNode) => string): string | undefined {
  for (let around = node.parent; around; around = around.parent) {
    const called = around.name === 'FunctionCall' && around.getChild('FunctionIdentifier');
    if (called) return text(called);
    if (around.name === 'AggregateExpr' || around.name === 'BinaryExpr') return undefined;
  }
  return undefined;
}
