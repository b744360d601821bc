import { createClient, isProblem } from 'webhooks-client';

const { BASE_URL: baseUrl, CHANNEL: channel, PUBLISHER_KEY: key } = process.env;
const webhooks = createClient({ baseUrl, key });

try {
  const event = await webhooks.events.publish(channel, { event_name: 'request.created', data: { request: 123 } });
  console.log(`published ${event.id}`);
} catch (error) {
  if (!isProblem(error, 'fields-invalid')) throw error;
  for (const { field, message } of error.errors) console.error(`${field} ${message}`);
}
