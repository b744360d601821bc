import express from 'express';
import { SignatureError, verify } from 'webhooks-client';

/** The webhook's `signing_secret`; during a rotation the new one too, separated by a comma. */
const KEYS = process.env.WEBHOOK_KEYS.split(',');

const app = express();

// The signature is over the bytes as they came: no other parser may come before.
app.post('/', express.raw({ type: 'application/json' }), async ({ headers, body }, response) => {
  try {
    const { id, event } = await verify(KEYS, { headers, body });
    console.log(`received ${event.event_name} ${event.id} as ${id}`);
    response.sendStatus(200);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    response.status(400).send(error.fault);
  }
});

const server = app.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
