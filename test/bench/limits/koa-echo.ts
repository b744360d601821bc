import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';

/** The least that Koa does with a JSON body: parses it and sends it back. Over IPC it says its port. */
const app = new Koa();
app.use(bodyParser());
app.use((ctx) => {
  ctx.status = 201;
  ctx.body = ctx.request.body;
});
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
