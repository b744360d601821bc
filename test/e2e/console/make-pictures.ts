import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { apiAt } from '../../support/api.ts';
import { launchChromium } from '../../support/chromium.ts';
import { startReceiver } from '../../support/receiver.ts';
import { startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { openPage } from '../../support/watched-page.ts';
import { heading, signIn } from './support.ts';

/** Makes the pictures in docs/console anew: node test/e2e/console/make-pictures.ts, to be looked at before they are committed. */
const FOLDER = join(import.meta.dirname, '../../../docs/console');
const EVENTS = 60;

const browser = await launchChromium();
if (!browser) throw new Error('there is no Chromium: install it, or name it in CHROMIUM');
const stack = await startStack();
const receiver = await startReceiver();
const api = apiAt(stack.url);

receiver.reply({ status: 503, body: '{"error":"the database is away"}' }, '/accounting');
receiver.reply((_, nth) => (nth % 17 === 0 ? { status: 500 } : { delayMs: 4 + (nth % 9) * 8 }), '/warehouse');
const channel = await api.newChannel({
  ...{ name: 'Orders', description: 'All that happens to an order, from basket to door.' },
  ...{ guid: 'shop-orders', email: 'ops@shop.example' },
});
const warehouse = await api.newWebhook(channel, receiver.url('/warehouse'), { name: 'Warehouse' });
const accounting = await api.newWebhook(channel, receiver.url('/accounting'), {
  ...{ name: 'Accounting', event_names: ['invoice.*'] },
});
await api.newWebhook(channel, receiver.url('/crm'), { name: 'CRM', event_names: ['customer.*'], paused: true });
const names = ['order.created', 'order.paid', 'stock.changed', 'order.shipped', 'invoice.sent'];
let failing = 0;
for (let n = 0; n < EVENTS; n++) {
  const [event_name, order] = [names[n % names.length], 1_000 + n];
  const data = { order, total: 19.9, currency: 'EUR', items: [{ sku: 'TEA-01', count: 2 }] };
  const { id } = await api.publish(channel, { event_name, ext_ref_code: `A-${order}`, data });
  if (event_name === 'invoice.sent') failing = id;
}
const redelivery = { webhook_id: accounting.id, reason: 'Accounting has lost it' };
const of = `/v1/channels/${channel.id}`;
const key = channel.publisher_key;
const attemptsOf = async () => (await api.log(channel, failing)).flatMap(({ attempts }) => attempts).length;
await waitFor('the first attempts', attemptsOf, (count) => count === 2);
await api.call('POST', `${of}/events/${failing}/redeliver`, { key, json: redelivery });
await waitFor('the redelivery', attemptsOf, (count) => count === 3);

const LIGHT = { viewport: { width: 1180, height: 860 }, colorScheme: 'light' } as const;
const DARK = { ...LIGHT, colorScheme: 'dark' } as const;
const PHONE = { viewport: { width: 390, height: 780 }, colorScheme: 'light', deviceScaleFactor: 1.5 } as const;

await picture('channel', LIGHT, '', async (page) => {
  await page.getByText('live', { exact: true }).waitFor();
  await page.locator('.sparkline rect').first().waitFor();
});
await picture('event', LIGHT, `/events/${failing}`, async (page) => {
  await page.locator('summary').filter({ hasText: '#2' }).last().click();
  await page.getByText('the database is away').waitFor();
});
await picture('webhook-dark', DARK, `/webhooks/${warehouse.id}`, (page) => page.locator('canvas').first().waitFor());
await picture('event-phone', PHONE, `/events/${failing}`, (page) => page.getByText('#2').first().waitFor());

await browser.close();
await receiver.close();
await stack.stop();

async function picture(name: string, options: BrowserContextOptions, at: string, shows: (page: Page) => Promise<void>) {
  const { page } = await openPage(browser as Browser, stack.url, { ...options, reducedMotion: 'reduce' });
  await signIn(page, { key, channel: channel.id });
  await heading(page, 'Orders').waitFor();
  await page.goto(`/#/channels/${channel.id}${at}`);
  await shows(page);
  await page.waitForLoadState('load');
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
  await page.context().close();
}
