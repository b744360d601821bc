import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Ajv, type ValidateFunction } from 'ajv';
import { ApiError, type Client, ConnectionError } from '../../../clients/typescript/src/index.ts';
import { PRODUCT } from '../../../infra/product.ts';
import { TOOLS, type Tool } from './tools.ts';

const INSTRUCTIONS =
  'Looks into a webhooks server: events of channels, and what became of each at each webhook. "We never got it" is answered by find_events, then explain_event.';

/** Makes servers of the Model Context Protocol, each with a client that has the caller's own key. */
export function createMcpServers() {
  const ajv = new Ajv({ allErrors: true });
  const tools = new Map(TOOLS.map((tool) => [tool.name, { tool, isValid: ajv.compile(tool.input) }]));

  return (client: Client): Server => {
    const server = new Server(PRODUCT, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
    server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: TOOLS.map(described) }));
    server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: input = {} } }) => {
      const found = tools.get(name);
      if (!found) return failure(`There is no tool ${name}.`);
      return used(found.tool, found.isValid, client, input);
    });
    return server;

    async function used(tool: Tool, isValid: ValidateFunction, client: Client, input: object) {
      if (!isValid(input)) return failure(`${ajv.errorsText(isValid.errors, { dataVar: 'input' })}.`);
      try {
        return success(await tool.use(client, input));
      } catch (error) {
        // What the model, or whoever it works for, can do something about.
        if (error instanceof ApiError || error instanceof ConnectionError) return failure(error.message);
        throw error;
      }
    }
  };
}

function described({ name, title, description, input, isReading }: Tool) {
  const annotations = { title, readOnlyHint: isReading, destructiveHint: false, openWorldHint: !isReading };
  return { name, title, description, inputSchema: input as { type: 'object' }, annotations };
}

function success(value: unknown) {
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(value) }],
    structuredContent: value as Record<string, unknown>,
  };
}

function failure(text: string) {
  return { content: [{ type: 'text' as const, text }], isError: true };
}
