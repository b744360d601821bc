import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { apiModule, typeOf } from '../../../clients/typescript/generate/api.ts';
import { describeApi } from '../../../services/gateway/openapi/document.ts';
import { GROUPS } from '../../../services/gateway/routes/routes.ts';

describe("the client's package", () => {
  it('has the types of the API today: else run node clients/typescript/generate/main.ts', () => {
    const kept = readFileSync('clients/typescript/src/api.ts', 'utf8');
    expect(kept === apiModule(describeApi(GROUPS)), 'src/api.ts is as it would be made').to.equal(true);
  });

  it('has a README that quotes the examples as they are', () => {
    const readme = readFileSync('clients/typescript/README.md', 'utf8');
    const quoted = [...readme.matchAll(/<!-- (examples\/\S+) -->\n```js\n([\s\S]*?)```/g)];
    expect(quoted).to.have.length(2);
    for (const [, file, text] of quoted) expect(text).to.equal(readFileSync(`clients/typescript/${file}`, 'utf8'));
  });

  it('says in types what schemas say', () => {
    expect(typeOf({ anyOf: [{ $ref: '#/components/schemas/Attempt' }, { type: 'null' }] })).to.equal('Attempt | null');
    expect(typeOf({ enum: ['a', 'b'] })).to.equal("'a' | 'b'");
    expect(typeOf({ type: 'array', items: { type: 'integer' } })).to.equal('Array<number>');
    expect(typeOf({ type: 'object', additionalProperties: {} })).to.equal('Record<string, unknown>');
    expect(typeOf({ type: 'object', properties: {} })).to.equal('Record<string, never>');
    expect(
      typeOf({ type: 'object', properties: { a: { type: 'string' }, b: { const: true } }, required: ['a'] }),
    ).to.equal('{\n  a: string;\n  b?: true | undefined;\n}');
  });
});
