import { buffer } from 'node:stream/consumers';
import Koa from 'koa';
import { SignatureError, verify } from 'webhooks-client';

/** The webhook's `signing_secret`; during a rotation the new one too, separated by a comma. */
const KEYS = process.env.WEBHOOK_KEYS.split(',');

const app = new Koa();

app.use(async (ctx) => {
  try {
    // The signature is over the bytes as they came: no body parser may come before.
    const { id, event } = await verify(KEYS, { headers: ctx.headers, body: await buffer(ctx.req) });
    console.log(`received ${event.event_name} ${event.id} as ${id}`);
    ctx.status = 200;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    ctx.status = 400;
    ctx.body = error.fault;
  }
});

const server = app.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
