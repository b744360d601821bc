import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { ADMIN_KEY, describeInBrowser, heading, signIn } from './support.ts';

/** https://github.com/dequelabs/axe-core */
const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

const RUN = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)";

/** What a first view may take, in bytes that are sent. */
const MOST_BYTES = 150_000;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function violationsOn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const violations = await page.evaluate<Violation[]>(RUN);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describeInBrowser('the looks of the console', (scene) => {
  const { open, made } = scene;
  /** What stands on each page, and where that is, once there is something of everything. */
  let pages: Readonly<Record<string, { at: string; shows: (page: Page) => Promise<void> }>>;

  before(async () => {
    scene.receiver.reply({ status: 503, body: 'away' }, '/down');
    const channel = await made('/v1/channels', {
      name: 'Orders of a shop with a rather long name',
      guid: 'shop',
      public: true,
    });
    const of = `/v1/channels/${channel.id}`;
    const good = await made(`${of}/webhooks`, { name: 'Warehouse', webhook_url: scene.receiver.url('/hook') });
    await made(`${of}/webhooks`, { webhook_url: scene.receiver.url(`/down?${'long'.repeat(60)}`) });
    await made(`${of}/webhooks`, { webhook_url: scene.receiver.url('/paused'), paused: true, event_names: ['crm.*'] });
    const data = { text: 'long '.repeat(60), list: [1, 2, 3] };
    const event = await made(`${of}/events`, { event_name: 'order.created', ext_ref_code: 'A-1', data });
    await scene.receiver.whenHits(2);
    const onPage = (title: string, part: string) => async (page: Page) => {
      await heading(page, title).waitFor();
      await page.locator(part).first().waitFor();
    };
    pages = {
      channels: { at: '/#/channels', shows: onPage('Channels', '.row') },
      channel: { at: `/#/channels/${channel.id}`, shows: onPage('Orders', '.sparkline rect') },
      event: {
        at: `/#/channels/${channel.id}/events/${event.id}`,
        async shows(page) {
          await onPage('order.created', '.timeline .mark.next')(page);
          await page.getByText('#1').first().click();
          await page.getByText('webhook-signature: …').waitFor();
          await page.getByRole('button', { name: /^Which webhooks/ }).click();
          await page.getByText('It did not ask for events of this name then.').waitFor();
        },
      },
      webhook: { at: `/#/channels/${channel.id}/webhooks/${good.id}`, shows: onPage('Warehouse', '.chart canvas') },
      search: { at: `/#/channels/${channel.id}/search?q=A-1`, shows: onPage('Search events', '.events li') },
      nowhere: { at: '/#/nowhere', shows: onPage('There is nothing here', '.empty') },
    };
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`bears axe in the ${colorScheme} on every page`, async () => {
      const page = await open({ colorScheme, reducedMotion: 'reduce' });
      await page.goto('/');
      await heading(page, 'Sign in').waitFor();
      expect(await violationsOn(page), 'sign-in').to.deep.equal([]);
      await signIn(page, { key: ADMIN_KEY });
      await heading(page, 'Channels').waitFor();
      for (const [name, { at, shows }] of Object.entries(pages)) {
        await page.goto(at);
        await shows(page);
        expect(await violationsOn(page), name).to.deep.equal([]);
      }
      console.log(`      axe, ${colorScheme}: no violation on ${Object.keys(pages).length + 1} pages`);
    });
  }

  it('fit a telephone', async () => {
    const page = await open({ viewport: { width: 360, height: 720 } });
    await signIn(page, { key: ADMIN_KEY });
    await heading(page, 'Channels').waitFor();
    for (const [name, { at, shows }] of Object.entries(pages)) {
      await page.goto(at);
      await shows(page);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect(width, name).to.be.at.most(360);
    }
  });

  it('are there at once: few bytes, all of them from here', async () => {
    const page = await open();
    const session = await page.context().newCDPSession(page);
    let bytes = 0;
    await session.send('Network.enable');
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.goto('/');
    await heading(page, 'Sign in').waitFor();
    await page.waitForLoadState('networkidle');
    const paint = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    console.log(
      `      first view: ${bytes} bytes in ${scene.asked().length} requests, first contentful paint ${Math.round(paint)} ms`,
    );
    expect(bytes).to.be.within(1_000, MOST_BYTES);
    await signIn(page, { key: ADMIN_KEY });
    await heading(page, 'Channels').waitFor();
    await page.goto(pages.webhook?.at as string);
    await pages.webhook?.shows(page);
    await page.waitForLoadState('load');
    console.log(`      with a webhook's charts: ${bytes} bytes`);
    expect(bytes).to.be.lessThan(MOST_BYTES);
  });
});
