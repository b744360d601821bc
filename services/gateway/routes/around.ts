import Type from 'typebox';
import { PRODUCT } from '../../../infra/product.ts';
import { failureOf } from '../checks.ts';
import type { Check, Gateway } from '../context.ts';
import { Problem } from '../problems.ts';
import { route } from '../route.ts';

const Index = Type.Object({
  name: Type.String(),
  version: Type.String(),
  api: Type.String(),
  health: Type.String(),
  readiness: Type.String(),
});
const Health = Type.Object({ status: Type.Literal('ok') });
const Readiness = Type.Object({ status: Type.Literal('ready'), checks: Type.Array(Type.String()) });

export const aroundRoutes = [
  route({
    method: 'GET',
    path: '/',
    access: 'anyone',
    summary: 'What this is and where things are',
    answer: Index,
    handle: () => ({ ...PRODUCT, api: '/v1/channels', health: '/healthz', readiness: '/readyz' }),
  }),
  route({
    method: 'GET',
    path: '/healthz',
    access: 'anyone',
    summary: 'Whether the process lives',
    answer: Health,
    handle: () => ({ status: 'ok' }) as const,
  }),
  route({
    method: 'GET',
    path: '/readyz',
    access: 'anyone',
    summary: 'Whether all that is needed can be reached',
    answer: Readiness,
    handle: (_, gateway) => readiness(gateway),
  }),
  route({
    method: 'GET',
    path: '/metrics',
    access: 'operator',
    summary: 'How this node is doing, for Prometheus',
    answer: Type.String(),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    handle: (_, { metrics }) => metrics(),
  }),
];

/** How long a check may take, in ms. */
const CHECK_MS = 2_000;

async function readiness({ checks, freshness }: Gateway) {
  const all: Record<string, Check> = { ...checks, 'read-models': async () => freshness.whenAllRead() };
  const names = Object.keys(all);
  const failures = await Promise.all(names.map((name) => failureOf(all[name] as Check, CHECK_MS)));
  const failed = names.flatMap((name, at) => (failures[at] === undefined ? [] : [`${name}: ${failures[at]}`]));
  if (failed.length > 0) throw new Problem('not-ready', `${failed.join('; ')}.`);
  return { status: 'ready', checks: names } as const;
}
