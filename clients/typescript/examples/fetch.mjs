import { SignatureError, verify } from 'webhooks-client';

/** Takes a Request and answers a Response: for `deno serve`, Bun, Workers, and the route handlers of frameworks such as Next.js. */
export default {
  async fetch(request) {
    try {
      const keys = process.env.WEBHOOK_KEYS.split(',');
      const body = new Uint8Array(await request.arrayBuffer());
      const { id, event } = await verify(keys, { headers: request.headers, body });
      console.log(`received ${event.event_name} ${event.id} as ${id}`);
      return new Response();
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      return new Response(error.fault, { status: 400 });
    }
  },
};
