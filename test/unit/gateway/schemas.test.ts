import { expect } from 'chai';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';

/** Every schema inside a schema, itself included. */
function* schemasIn(schema: unknown): Generator<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null) return;
  yield schema as Record<string, unknown>;
  for (const inner of Object.values(schema)) yield* schemasIn(inner);
}

const SCALARS = ['string', 'number', 'integer', 'boolean'];

describe('what requests are held against', () => {
  const schemas = ROUTES.flatMap(({ body, query }) => [...schemasIn(body), ...schemasIn(query)]);

  it('compares no item of a list with every other: 40,000 of them would take seconds', () => {
    const unique = schemas.filter(({ uniqueItems }) => uniqueItems === true);
    expect(unique).to.have.length.above(0);
    for (const { items } of unique) expect(SCALARS).to.include((items as { type?: unknown }).type);
  });

  it('has no pattern that tries one thing in many ways', () => {
    const patterns = schemas.map(({ pattern }) => pattern).filter((pattern) => typeof pattern === 'string');
    expect(patterns).to.have.length.above(2);
    // A repetition of what holds a repetition.
    for (const pattern of patterns) expect(pattern).not.to.match(/[*+}]\)[*+{]/);
  });
});
