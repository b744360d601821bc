import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** A page, and what it did that it should not do. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors on its console or thrown in it, and requests that failed or went to another host. */
  readonly complaints: readonly string[];
  /** Every URL that it has asked for. */
  readonly asked: readonly string[];
}

/** What a page makes itself is from nowhere else. */
function isFrom(baseURL: string, url: string): boolean {
  return url.startsWith(baseURL) || /^(blob|data):/.test(url);
}

/** Opens a tab of its own, whose storage nobody else sees. */
export async function openPage(
  browser: Browser,
  baseURL: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL, locale: 'en-GB', timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    asked.push(request.url());
    if (!isFrom(baseURL, request.url())) complaints.push(`asked another host: ${request.url()}`);
  });
  return { page, complaints, asked };
}
