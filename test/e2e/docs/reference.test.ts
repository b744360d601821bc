import { expect } from 'chai';
import type { Browser } from 'playwright-core';
import { describeApi } from '../../../services/gateway/openapi/document.ts';
import { PROBLEMS } from '../../../services/gateway/problems.ts';
import { GROUPS, ROUTES } from '../../../services/gateway/routes/routes.ts';
import { startChromium } from '../../support/chromium.ts';
import { openPage } from '../../support/watched-page.ts';
import { useStack } from '../api/support.ts';

describe('the description of the API, as it is served', () => {
  const { send, call, url } = useStack();
  const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));

  it('is that of the rows that the gateway runs on', async () => {
    const { body } = await call('GET', '/openapi.json');
    expect(body).to.deep.equal(asJson(describeApi(GROUPS)));
  });

  it('is compressed where that is taken, and not sent again to whoever has it', async () => {
    const zipped = await fetch(`${url()}/openapi.json`);
    expect(zipped.headers.get('content-encoding')).to.equal('gzip');
    expect(zipped.headers.get('vary')).to.equal('Accept-Encoding');
    expect(zipped.headers.get('cache-control')).to.equal('no-cache');
    const plain = await send('GET', '/openapi.json', { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).to.equal(null);
    expect(plain.body).to.deep.equal(await zipped.json());
    const etag = zipped.headers.get('etag') ?? '';
    // By itself fetch would ask for what nobody keeps.
    const kept = { 'cache-control': 'max-age=0', 'if-none-match': etag };
    const again = await send('GET', '/openapi.json', { headers: kept });
    expect(again).to.include({ status: 304, text: '' });
    const other = await send('GET', '/openapi.json', { headers: { ...kept, 'if-none-match': 'W/"another"' } });
    expect(other.status).to.equal(200);
  });

  it('leads from the type of each problem to what it means', async () => {
    const { body: problem } = await call('GET', '/v1/channels/1');
    const { pathname, hash } = new URL(problem.type, url());
    expect(hash).to.equal('#key-missing');
    const { status, body: page } = await call('GET', pathname);
    expect(status).to.equal(200);
    for (const code of Object.keys(PROBLEMS)) expect(page).to.contain(`<dt id="${code}">`);
  });

  describe('in a browser', function () {
    this.timeout(60_000);
    let browser: Browser | undefined;
    before(async function () {
      browser = await startChromium(this);
    });
    after(() => browser?.close());

    async function look(path: string, whenShown: string) {
      const watched = await openPage(browser as Browser, url());
      await watched.page.goto(path);
      await watched.page.locator(whenShown).first().waitFor();
      return watched;
    }

    it('shows every route, and asks nobody else for anything', async () => {
      const { page, asked, complaints } = await look('/docs', 'h2:has-text("Publish an event")');
      const text = await page.locator('body').textContent();
      for (const { summary } of ROUTES) expect(text?.replaceAll('`', '')).to.contain(summary.replaceAll('`', ''));
      expect(asked.map((request) => new URL(request).pathname)).to.include.members(['/docs/redoc.js', '/openapi.json']);
      expect(complaints).to.deep.equal([]);
    });

    it('finds what is searched for', async () => {
      const { page } = await look('/docs', 'h2:has-text("Publish an event")');
      await page.getByRole('textbox').first().fill('rotate');
      await page.getByRole('search').getByText('Replace the publisher key').first().waitFor();
    });

    it('shows the meaning of a problem where its type leads', async () => {
      const { page, complaints } = await look(
        '/docs/errors#guid-taken',
        'dd:has-text("A live channel has this guid.")',
      );
      const { y = 0, height = 0 } = (await page.locator('#guid-taken').boundingBox()) ?? {};
      expect(y).to.be.at.least(0);
      expect(y + height).to.be.at.most(page.viewportSize()?.height ?? 0);
      expect(complaints).to.deep.equal([]);
    });
  });
});
