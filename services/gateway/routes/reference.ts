import Type from 'typebox';
import { ERRORS_PAGE } from '../problems.ts';
import { HTML, JAVASCRIPT, JSON_TEXT, SCRIPT } from '../reference/reference.ts';
import { route } from '../route.ts';

const Document = Type.Record(Type.String(), Type.Unknown(), {
  description: 'An OpenAPI 3.1 document.',
  examples: [{ openapi: '3.1.1', info: { title: 'webhooks', version: '0.1.0' } }],
});
const Text = Type.String({ examples: ['…'] });

/** Whatever describes the API. */
export const referenceRoutes = [
  route({
    method: 'GET',
    path: '/openapi.json',
    access: 'anyone',
    operation: 'getDescription',
    summary: 'The API as OpenAPI describes it',
    mediaType: JSON_TEXT,
    isAsset: true,
    answer: Document,
    handle: (_, { reference }) => reference.description(),
  }),
  route({
    method: 'GET',
    path: '/docs',
    access: 'anyone',
    operation: 'getReference',
    summary: 'The API as a page',
    mediaType: HTML,
    isAsset: true,
    answer: Text,
    handle: (_, { reference }) => reference.page(),
  }),
  route({
    method: 'GET',
    path: SCRIPT,
    access: 'anyone',
    operation: 'getReferenceScript',
    summary: 'What makes that page of the description',
    mediaType: JAVASCRIPT,
    isAsset: true,
    answer: Text,
    handle: (_, { reference }) => reference.script(),
  }),
  route({
    method: 'GET',
    path: ERRORS_PAGE,
    access: 'anyone',
    operation: 'getErrors',
    summary: 'What each problem means: their `type`s lead here',
    mediaType: HTML,
    isAsset: true,
    answer: Text,
    handle: (_, { reference }) => reference.errors(),
  }),
];
