import { readFileSync } from 'node:fs';

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** The product and its version, as they stand in package.json. */
export const PRODUCT: { readonly name: string; readonly version: string } = { name, version };

/** What deliveries call themselves (RFC 9110, section 10.1.5). */
export const USER_AGENT = `${name}/${version}`;
