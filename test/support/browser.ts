import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Names under which Chromium is installed; `CHROMIUM` names another. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where a browser is; undefined where there is none. */
export function findBrowser(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return (CHROMIUM ? [CHROMIUM] : places).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Without a sandbox, which root does not get, and containers mostly do not have: it shows nothing but what is served here. */
export function launchBrowser(executablePath: string): Promise<Browser> {
  const args = ['--disable-background-networking', '--disable-component-update', '--disable-gpu', '--no-first-run'];
  return chromium.launch({ executablePath, args, chromiumSandbox: false });
}

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
