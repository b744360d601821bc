import Type from 'typebox';
import { PRODUCT } from '../../../infra/product.ts';
import { failureOf } from '../checks.ts';
import type { Check, Gateway } from '../context.ts';
import { Problem } from '../problems.ts';
import { route } from '../route.ts';

/** Where things are. */
const PLACES = {
  api: '/v1/channels',
  description: '/openapi.json',
  reference: '/docs',
  health: '/healthz',
  readiness: '/readyz',
};
const Text = (example: string) => Type.String({ examples: [example] });
const Index = Type.Object(
  {
    name: Text(PRODUCT.name),
    version: Text(PRODUCT.version),
    api: Text(PLACES.api),
    description: Text(PLACES.description),
    reference: Text(PLACES.reference),
    health: Text(PLACES.health),
    readiness: Text(PLACES.readiness),
  },
  { title: 'Index' },
);
const Exposition = Type.String({ examples: ['webhooks_process_up{process="gateway"} 1\n'] });
/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8';
const Health = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' });
const Readiness = Type.Object(
  { status: Type.Literal('ready'), checks: Type.Array(Type.String({ examples: ['event store'] })) },
  { title: 'Readiness' },
);

export const aroundRoutes = [
  route({
    method: 'GET',
    path: '/',
    access: 'anyone',
    operation: 'getIndex',
    summary: 'What this is and where things are',
    answer: Index,
    // What the console is: services/gateway/console
    alsoAs: { 'text/html': Type.String({ description: 'The console.', examples: ['<!doctype html>'] }) },
    handle: () => ({ ...PRODUCT, ...PLACES }),
  }),
  route({
    method: 'GET',
    path: '/healthz',
    access: 'anyone',
    operation: 'getHealth',
    summary: 'Whether the process lives',
    answer: Health,
    handle: () => ({ status: 'ok' }) as const,
  }),
  route({
    method: 'GET',
    path: '/readyz',
    access: 'anyone',
    operation: 'getReadiness',
    summary: 'Whether all that is needed can be reached',
    problems: ['not-ready'],
    answer: Readiness,
    handle: (_, gateway) => readiness(gateway),
  }),
  route({
    method: 'GET',
    path: '/metrics',
    access: 'operator',
    operation: 'getMetrics',
    summary: 'How this node is doing, for Prometheus',
    answer: Exposition,
    mediaType: EXPOSITION,
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
