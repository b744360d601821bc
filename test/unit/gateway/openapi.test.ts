import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect } from 'chai';
import { describeApi } from '../../../services/gateway/openapi/document.ts';
import { exampleOf } from '../../../services/gateway/openapi/example.ts';
import { createSchemas } from '../../../services/gateway/openapi/schemas.ts';
import { GROUPS, ROUTES } from '../../../services/gateway/routes/routes.ts';
import { createCompiler } from '../../../services/gateway/validation.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
}

/** What redocly's strictest rules say of a document: https://redocly.com/docs/cli/rules/ */
async function lint(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config });
  return found.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`);
}

describe('the description of the API', () => {
  const document = describeApi(GROUPS);
  const operations = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods) as Operation[])
    .filter(({ operationId }) => operationId !== undefined);

  it('is OpenAPI without a fault', async () => {
    expect(await lint(document)).to.deep.equal([]);
  });

  it('would not pass with an example that its schema does not allow', async () => {
    const broken = structuredClone(document);
    const { get } = broken.paths['/v1/channels'] as { get: { responses: Record<string, { content: object }> } };
    Object.assign(get.responses, {
      200: { description: 'No.', content: { 'application/json': { schema: { type: 'array' }, example: 1 } } },
    });
    expect((await lint(broken)).join()).to.contain('no-invalid-media-type-examples');
  });

  it('has every route once, by a name of its own', () => {
    expect(operations.map(({ operationId }) => operationId)).to.have.members(ROUTES.map(({ operation }) => operation));
    expect(new Set(operations.map(({ operationId }) => operationId))).to.have.property('size', ROUTES.length);
  });

  it('has an example of each body and answer', () => {
    for (const { operationId, requestBody, responses } of operations) {
      const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)];
      for (const content of contents.flatMap((content) => Object.values(content ?? {}))) {
        expect('example' in content || 'examples' in content, operationId).to.equal(true);
      }
    }
  });

  it('has no example of a body that the gateway would refuse', () => {
    const compile = createCompiler({ destination: () => undefined });
    for (const { operation, body } of ROUTES) {
      if (body) expect(compile(body)(exampleOf(body)), operation).to.equal(undefined);
    }
  });

  it('names its lists in forms as forms are read, and leaves out what no form says', () => {
    const formOf = (operationId: string) =>
      operations.find((operation) => operation.operationId === operationId)?.requestBody?.content[
        'application/x-www-form-urlencoded'
      ];
    expect(formOf('createWebhook')).to.have.nested.property('schema.properties.event_names\\[\\]');
    expect(formOf('publishEvent')).to.deep.include({ encoding: { data: { style: 'deepObject', explode: true } } });
    expect(formOf('publishEvents')).to.equal(undefined);
  });

  it('takes no two schemas by one title', () => {
    const { shown } = createSchemas();
    const [one, other] = [
      { title: 'A', type: 'string' },
      { title: 'A', type: 'integer' },
    ];
    expect(shown(one)).to.deep.equal({ $ref: '#/components/schemas/A' });
    expect(shown({ ...one })).to.deep.equal({ $ref: '#/components/schemas/A' });
    expect(() => shown(other)).to.throw('two schemas have the title A');
  });
});
