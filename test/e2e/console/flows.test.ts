import { expect } from 'chai';
import { waitFor } from '../../support/wait.ts';
import { ADMIN_KEY, describeInBrowser, heading, signIn } from './support.ts';

/** What a screen reader would say of what has the focus, about. */
const FOCUSED = `(({ ariaLabel, labels, textContent }) =>
  [ariaLabel, ...[...(labels ?? [])].map((label) => label.textContent), textContent].join(' '))(document.activeElement)`;

/** The promise: whoever is asked "why did we never get it?" finds out, and delivers it again. */
describeInBrowser('the console', (scene) => {
  const { open, made } = scene;

  async function newChannel() {
    const channel = await made('/v1/channels', { name: 'Orders' });
    const webhook = await made(`/v1/channels/${channel.id}/webhooks`, {
      ...{ name: 'Warehouse', webhook_url: scene.receiver.url('/hook') },
    });
    return {
      channel,
      webhook,
      of: `/v1/channels/${channel.id}`,
      publisher: { key: channel.publisher_key, channel: channel.id },
    };
  }

  it('publishes, shows the event arriving live, how it fails and when it is tried again, and delivers it again', async () => {
    const { channel, publisher } = await newChannel();
    scene.receiver.reply({ status: 503, body: 'out of paper' });
    const page = await open();
    await signIn(page, publisher);
    await heading(page, 'Orders').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Publish test.event' }).click();
    const row = page.getByRole('link', { name: /retrying.*test\.event/ });
    await row.waitFor();
    await page.getByRole('link', { name: /Warehouse.*failing for/s }).waitFor();

    await row.click();
    await heading(page, 'test.event').waitFor();
    const delivery = page.getByRole('article', { name: 'Delivery to Warehouse' });
    await delivery.getByText(/^Next attempt in 59:\d\d$/).waitFor();
    await delivery.getByText('#1').click();
    await delivery.getByText('out of paper').waitFor();
    await delivery.getByText(`POST ${scene.receiver.url('/hook')}`).waitFor();
    const before = await delivery.getByText(/^Next attempt in/).textContent();
    await delivery.getByText(before as string).waitFor({ state: 'hidden' });

    scene.receiver.reply({ status: 200 });
    await delivery.getByRole('button', { name: 'Deliver again' }).click();
    await delivery.getByText('delivered', { exact: true }).waitFor();
    await delivery.getByText('#2 asked for again').waitFor();
    const [first, second] = await scene.receiver.whenHits(2);
    expect(JSON.parse(String(second?.body)))
      .to.deep.equal(JSON.parse(String(first?.body)))
      .and.to.include({ channel_id: channel.id });
  });

  it('shows what others publish as it comes, and goes on where the connection was lost', async () => {
    const { of, publisher } = await newChannel();
    const page = await open();
    scene.forgive(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
    await signIn(page, publisher);
    await page.getByText('live', { exact: true }).waitFor();
    await made(`${of}/events`, { event_name: 'order.created', ext_ref_code: 'A-1' });
    await page.getByRole('link', { name: /delivered.*order\.created A-1/ }).waitFor();
    await page.context().setOffline(true);
    await made(`${of}/events`, { event_name: 'order.missed' });
    await page.context().setOffline(false);
    await made(`${of}/events`, { event_name: 'order.paid' });
    await page.getByRole('link', { name: /order\.paid/ }).waitFor();
    await page.getByRole('link', { name: /order\.missed/ }).waitFor();
  });

  it('lets nobody in with a wrong key, keeps a good one in the tab alone, and never in an address', async () => {
    const { channel, publisher } = await newChannel();
    const page = await open();
    scene.forgive(/status of 40[134]/);
    await signIn(page, { key: 'pk_1', channel: channel.id });
    await page.getByRole('alert').filter({ hasText: 'This is not a key' }).waitFor();
    await signIn(page, { key: `pk_${'0'.repeat(40)}`, channel: channel.id });
    await page.getByRole('alert').filter({ hasText: 'not one of that channel' }).waitFor();
    await signIn(page, { ...publisher, channel: 'no-such-channel' });
    await page.getByRole('alert').filter({ hasText: 'There is no such channel' }).waitFor();
    await signIn(page, publisher, `/#/channels/${channel.id}`);
    await heading(page, 'Orders').waitFor();
    await page.reload();
    await heading(page, 'Orders').waitFor();
    expect(scene.asked().filter((url) => /pk_/.test(url))).to.deep.equal([]);
    expect(page.url()).not.to.include('pk_');
    expect(await page.evaluate('[localStorage.length, document.cookie]')).to.deep.equal([0, '']);
    const other = await page.context().newPage();
    await other.goto(`/#/channels/${channel.id}`);
    await heading(other, 'Sign in').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in').waitFor();
    expect(await page.evaluate('sessionStorage.length')).to.equal(0);
    expect(scene.stack.output()).not.to.include(channel.publisher_key);
  });

  it('says so where the key was replaced while somebody looked', async () => {
    const { of, publisher } = await newChannel();
    scene.forgive(/status of 403/);
    const page = await open();
    await signIn(page, publisher);
    await page.getByText('live', { exact: true }).waitFor();
    await scene.api.call('POST', `${of}/rotate_key`, { key: ADMIN_KEY });
    await made(`${of}/events`, { event_name: 'order.created' });
    await page.getByText('ended', { exact: true }).waitFor();
    expect(await page.getByText('order.created').count()).to.equal(0);
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'This key may not do that' }).waitFor();
  });

  it('hides keys until somebody asks for them', async () => {
    const { channel, publisher } = await newChannel();
    const page = await open();
    await signIn(page, publisher);
    await page.getByText('pk_••••').waitFor();
    expect(await page.content()).not.to.include(channel.publisher_key);
    await page.getByRole('button', { name: 'Show publisher key' }).click();
    await page.getByText(channel.publisher_key).waitFor();
    await page.getByRole('button', { name: 'Hide publisher key' }).click();
    expect(await page.content()).not.to.include(channel.publisher_key);
  });

  it('pauses and resumes a webhook, pings it and rotates its secret', async () => {
    const { channel, webhook, of, publisher } = await newChannel();
    const page = await open();
    await signIn(page, publisher, `/#/channels/${channel.id}/webhooks/${webhook.id}`);
    await heading(page, 'Warehouse').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('paused', { exact: true }).waitFor();
    await made(`${of}/events`, { event_name: 'order.created' });
    await page.getByRole('link', { name: /pending.*order\.created/ }).waitFor();
    expect(scene.receiver.hits).to.deep.equal([]);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('link', { name: /delivered.*order\.created/ }).waitFor();
    await page.getByRole('button', { name: 'Send a ping' }).click();
    await page.getByRole('link', { name: /delivered.*ping/ }).waitFor();
    await page.locator('.chart canvas').first().waitFor();

    await page.getByRole('button', { name: 'Rotate secret' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Rotate secret' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate secret' }).click();
    await page.getByText('There is a new secret').waitFor();
    await page.getByRole('button', { name: 'Show signing secret' }).click();
    const secret = page.getByText(/^whsec_[A-Za-z0-9+/=]+$/);
    const shown = await waitFor(
      'the new secret',
      () => secret.textContent(),
      (text) => text !== webhook.signing_secret,
    );
    const { body } = await scene.api.call('GET', `${of}/webhooks/${webhook.id}`, { key: ADMIN_KEY });
    expect(shown).to.equal(body.signing_secret);
  });

  it('recovers what failed, and shows how far that is', async () => {
    const { channel, of } = await newChannel();
    scene.receiver.reply({ status: 500 });
    for (let n = 0; n < 3; n++) await made(`${of}/events`, { event_name: 'order.created' });
    await scene.receiver.whenHits(3);
    scene.receiver.reply({ status: 200 });
    const late = await made(`${of}/webhooks`, { name: 'Late', webhook_url: scene.receiver.url('/late') });
    const page = await open();
    await signIn(page, { key: late.subscriber_key, channel: channel.id, webhook: late.id });
    await heading(page, 'Late').waitFor();
    await page.getByLabel('also what it was never sent').check();
    await page.getByRole('button', { name: 'Recover' }).click();
    await page.getByText('finished').waitFor();
    await page.getByText('3 events', { exact: true }).waitFor();
    expect(scene.receiver.hitsAt('/late')).to.have.length(3);
  });

  it('shows a subscriber its own webhook and deliveries, and nothing else', async () => {
    const { channel, webhook, of } = await newChannel();
    await made(`${of}/webhooks`, { name: 'Another one', webhook_url: scene.receiver.url('/other') });
    await made(`${of}/events`, { event_name: 'order.created', data: { total: 3 } });
    const page = await open();
    await signIn(page, { key: webhook.subscriber_key, channel: channel.id, webhook: webhook.id });
    await page.getByRole('link', { name: /delivered.*order\.created/ }).click();
    await heading(page, 'order.created').waitFor();
    await page.getByRole('article', { name: 'Delivery to Warehouse' }).getByText('#1').click();
    await page.getByText(`POST ${scene.receiver.url('/hook')}`).waitFor();
    expect(await page.getByRole('article').count()).to.equal(1);
    expect(await page.getByRole('button', { name: /again/ }).count()).to.equal(0);
    expect(await page.getByText('Another one').count()).to.equal(0);
    await page.goto(`/#/channels/${channel.id}`);
    await heading(page, 'Warehouse').waitFor();
    expect(await page.getByRole('button', { name: /^Rotate/ }).count()).to.equal(0);
  });

  it('says which webhooks were not sent an event, and why, and sends it to them', async () => {
    const { of, publisher, channel } = await newChannel();
    await made(`${of}/webhooks`, {
      ...{ name: 'Accounting', webhook_url: scene.receiver.url('/choosy'), event_names: ['invoice.*'] },
    });
    const event = await made(`${of}/events`, { event_name: 'order.created' });
    const page = await open();
    await signIn(page, publisher, `/#/channels/${channel.id}/events/${event.id}`);
    await page.getByRole('button', { name: 'Which webhooks were not sent it, and why?' }).click();
    const skipped = page.getByRole('article', { name: 'Delivery to Accounting' });
    await skipped.getByText('It did not ask for events of this name then.').waitFor();
    await skipped.getByRole('button', { name: 'Deliver now' }).click();
    await skipped.getByText('delivered', { exact: true }).waitFor();
    expect(scene.receiver.hitsAt('/choosy')).to.have.length(1);
  });

  it('shows what was delivered to a webhook that has been deleted', async () => {
    const { of, publisher, channel, webhook } = await newChannel();
    scene.forgive(/status of 404/);
    const event = await made(`${of}/events`, { event_name: 'order.created' });
    await scene.receiver.whenHits(1);
    await scene.api.call('DELETE', `${of}/webhooks/${webhook.id}`, { key: ADMIN_KEY });
    const page = await open();
    await signIn(page, publisher, `/#/channels/${channel.id}/events/${event.id}`);
    await page.getByText('#1').click();
    await page.getByText(`POST ${scene.receiver.url('/hook')}`).waitFor();
  });

  it('shows what others have written as the text that it is', async () => {
    const { of, publisher, channel } = await newChannel();
    const markup = '<img src="https://elsewhere.example/" onerror="alert(1)"><script>alert(2)</script>';
    scene.receiver.reply({ status: 500, body: markup });
    const data = { [markup]: markup };
    await made(`${of}/events`, { event_name: 'order.created', ext_ref_code: markup, data });
    await made(`${of}/webhooks`, { name: markup, webhook_url: scene.receiver.url('/hook') });
    const page = await open();
    await signIn(page, publisher);
    await page.getByRole('link', { name: `order.created ${markup}` }).click();
    await page.getByRole('article', { name: 'Delivery to Warehouse' }).getByText('#1').click();
    await page.getByLabel('Body of the answer').getByText(markup).waitFor();
    await page.getByLabel('Data of the event').getByText('<script>alert(2)</script>').waitFor();
    await page.goto(`/#/channels/${channel.id}`);
    await page.getByRole('link', { name: markup }).first().waitFor();
    expect(await page.locator('img, main script').count()).to.equal(0);
  });

  it('finds events by id, reference, name, time and status', async () => {
    const { of, publisher } = await newChannel();
    const wanted = await made(`${of}/events`, { event_name: 'order.created', ext_ref_code: 'A-1' });
    await made(`${of}/events`, { event_name: 'order.paid', ext_ref_code: 'A-2' });
    await scene.receiver.whenHits(2);
    const page = await open();
    await signIn(page, publisher);
    const box = page.getByRole('searchbox', { name: 'Search events by id, reference or name' });
    const found = page.locator('.events li');
    for (const [text, count] of Object.entries({ [wanted.id]: 1, 'A-1': 1, 'order.created': 1, 'A-3': 0 })) {
      await box.fill(text);
      await box.press('Enter');
      await heading(page, 'Search events').waitFor();
      if (count === 0) await page.getByText('Nothing was found.').waitFor();
      else await page.getByRole('link', { name: /order\.created A-1/ }).waitFor();
      expect(await found.count(), text).to.equal(count);
    }
    await page.getByLabel('Id, reference or name', { exact: true }).fill('');
    await page.getByLabel('Status').selectOption('failed');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.waitForURL(/status=failed/);
    await page.getByText('Nothing was found.').waitFor();
    await page.getByLabel('Status').selectOption('');
    await page.getByLabel('Published since').fill('2100-01-01T00:00:00');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.waitForURL(/since=2100/);
    await page.getByText('Nothing was found.').waitFor();
    await page.goBack();
    await page.goBack();
    await box.fill('');
    await box.press('Enter');
    await page.getByRole('link', { name: /order\.paid A-2/ }).waitFor();
    expect(await found.count()).to.equal(2);
  });

  it('shows an admin all channels, and what is wrong with a webhook that is to be added', async () => {
    const { channel } = await newChannel();
    scene.forgive(/status of 422/);
    const page = await open();
    await signIn(page, { key: ADMIN_KEY });
    await heading(page, 'Channels').waitFor();
    await page.locator(`a[href="#/channels/${channel.id}"]`).click();
    await heading(page, 'Orders').waitFor();
    await page.getByText('Add a webhook').click();
    await page.getByLabel('URL').fill('https://me@example.com/');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await page.getByText('must be an http or https URL').first().waitFor();
    await page.getByLabel('URL').fill(scene.receiver.url('/new'));
    await page.getByLabel('Asks for').fill('order.*, stock.changed');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await page.getByRole('link', { name: /\/new/ }).click();
    await page.getByText('stock.changed', { exact: true }).waitFor();
    await page.getByText('Change', { exact: true }).click();
    await page.getByLabel('Name optional').fill('Stockroom');
    await page.getByLabel('Asks for').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Stockroom').waitFor();
    await page.getByText('stock.changed', { exact: true }).waitFor({ state: 'detached' });
  });

  it('changes a channel, and goes on with the new key where that is rotated', async () => {
    const { channel, publisher } = await newChannel();
    scene.forgive(/status of 422/);
    const page = await open();
    await signIn(page, publisher);
    await heading(page, 'Orders').waitFor();
    await page.getByText('Change', { exact: true }).click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Returns');
    await page.getByLabel('Description').fill('What comes back.');
    await page.getByLabel('E-mail').fill('ops@shop');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').filter({ hasText: 'must' }).waitFor();
    await page.getByLabel('E-mail').fill('ops@shop.example');
    await page.getByLabel('can be read without a key').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Returns').waitFor();
    await page.getByText('What comes back.', { exact: true }).first().waitFor();
    await page.getByText('everybody, without e-mail and key').waitFor();

    await page.getByRole('button', { name: 'Rotate key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate key' }).click();
    await page.getByText('There is a new key').waitFor();
    await page.getByRole('button', { name: 'Publish test.event' }).click();
    await page.getByText(/^Published as/).waitFor();
    await page.reload();
    await heading(page, 'Returns').waitFor();
    const { status } = await scene.api.call('GET', `/v1/channels/${channel.id}/webhooks`, { key: publisher.key });
    expect(status).to.equal(403);
  });

  it('can be used by the keyboard alone', async () => {
    const { publisher } = await newChannel();
    scene.receiver.reply({ status: 500 });
    const page = await open();
    await page.goto('/');
    await heading(page, 'Sign in').waitFor();
    const tabTo = async (name: RegExp) => {
      for (let n = 0; n < 60; n++) {
        await page.keyboard.press('Tab');
        const label = await page.evaluate<string>(FOCUSED);
        if (name.test(label)) return;
      }
      throw new Error(`Tab does not lead to ${name}`);
    };
    await tabTo(/^ Key/);
    await page.keyboard.type(publisher.key);
    await tabTo(/^ Channel/);
    await page.keyboard.type(String(publisher.channel));
    await page.keyboard.press('Enter');
    await heading(page, 'Orders').waitFor();
    expect(await page.evaluate('document.activeElement.tagName')).to.equal('H1');
    await page.getByText('live', { exact: true }).waitFor();
    await tabTo(/Publish test\.event/);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: /retrying.*test\.event/ }).waitFor();
    await tabTo(/test\.event(?!s).*ago|just now/);
    await page.keyboard.press('Enter');
    await heading(page, 'test.event').waitFor();
    await tabTo(/#1/);
    await page.keyboard.press('Enter');
    await page.getByText('Status 500').waitFor();
    scene.receiver.reply({ status: 200 });
    await tabTo(/^ ?Deliver again/);
    await page.keyboard.press('Enter');
    await page.getByText('delivered', { exact: true }).waitFor();
  });

  it('says so where the server is away, and goes on by itself', async () => {
    const { channel, publisher } = await newChannel();
    scene.forgive(/ERR_FAILED/);
    const page = await open();
    await signIn(page, publisher);
    await heading(page, 'Orders').waitFor();
    await page.route('**/v1/**', (route) => route.abort());
    await page.goto(`/#/channels/${channel.id}/search`);
    await page.getByRole('alert').filter({ hasText: 'The server cannot be reached' }).waitFor();
    await page.unroute('**/v1/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Nothing was found.').waitFor();
  });
});
