import { fastify } from 'fastify';
import { SignatureError, verify } from 'webhooks-client';

/** The webhook's `signing_secret`; during a rotation the new one too, separated by a comma. */
const KEYS = process.env.WEBHOOK_KEYS.split(',');

const app = fastify();

// The signature is over the bytes as they came.
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post('/', async ({ headers, body }, reply) => {
  try {
    const { id, event } = await verify(KEYS, { headers, body });
    console.log(`received ${event.event_name} ${event.id} as ${id}`);
    return reply.code(200).send();
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return reply.code(400).send(error.fault);
  }
});

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 9000), host: '127.0.0.1' })}`);
