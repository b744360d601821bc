import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type Api, apiAt } from '../../support/api.ts';
import { startChromium } from '../../support/chromium.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { openPage, type WatchedPage } from '../../support/watched-page.ts';

export const ADMIN_KEY = 'the admin key of the console tests';

export interface Scene {
  readonly api: Api;
  readonly receiver: Receiver;
  readonly stack: Stack;
  /** A tab; what it did that it should not do is held against it at the end of the test. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** Every URL that the tabs of this test have asked for. */
  asked(): readonly string[];
  /** Makes a channel or something in one, with the admin key. */
  // biome-ignore lint/suspicious/noExplicitAny: what is made, which each test knows
  made(path: string, json?: object): Promise<any>;
  /** What the page is expected to complain of: an answer that is an error is one to browsers. */
  forgive(complaint: RegExp): void;
}

/** Tests in a real Chromium: one, one stack and one receiver for all of them. */
export function describeInBrowser(title: string, tests: (scene: Scene) => void): void {
  describe(title, () => {
    let [stack, receiver, browser, api] = [] as unknown as [Stack, Receiver, Browser, Api];
    let opened: WatchedPage[] = [];
    let forgiven: RegExp[] = [];
    before(async function () {
      browser = await startChromium(this);
      [stack, receiver] = await Promise.all([startStack({ env: { ADMIN_KEY } }), startReceiver()]);
      api = apiAt(stack.url);
    });
    after(() => Promise.all([browser?.close(), receiver?.close(), stack?.stop()]));
    beforeEach(() => receiver.reset());
    afterEach(async () => {
      const complaints = opened.flatMap((tab) => tab.complaints);
      await Promise.all(opened.map(({ page }) => page.context().close()));
      const left = complaints.filter((text) => !forgiven.some((one) => one.test(text)));
      [opened, forgiven] = [[], []];
      if (left.length > 0) throw new Error(`the page complained: ${left.join('; ')}`);
    });
    tests({
      get api() {
        return api;
      },
      get receiver() {
        return receiver;
      },
      get stack() {
        return stack;
      },
      async open(options) {
        const tab = await openPage(browser, stack.url, options);
        opened.push(tab);
        return tab.page;
      },
      asked: () => opened.flatMap(({ asked }) => asked),
      async made(path, json = {}) {
        const { status, body } = await api.call('POST', path, { key: ADMIN_KEY, json });
        if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
        return body;
      },
      forgive: (complaint) => void forgiven.push(complaint),
    });
  });
}

interface Keys {
  readonly key: string;
  readonly channel?: string | number;
  readonly webhook?: string | number;
}

/** Signs in as a person does. */
export async function signIn(page: Page, { key, channel = '', webhook }: Keys, at = '/'): Promise<void> {
  await page.goto(at);
  await page.getByLabel('Key').fill(key);
  await page.getByLabel('Channel').fill(String(channel));
  if (webhook !== undefined) await page.getByLabel('Webhook').fill(String(webhook));
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
