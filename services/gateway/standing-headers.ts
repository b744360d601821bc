/**
 * What every answer says of itself: nobody keeps it, it is of the type that it names, a page made of it does nothing and stands in no frame,
 * and other sites cannot load it. A page that does something brings a Content-Security-Policy of its own.
 */
export const STANDING_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

const ENTRIES = Object.entries(STANDING_HEADERS);

export function setStandingHeaders(response: { setHeader(name: string, value: string): unknown }): void {
  for (const [name, value] of ENTRIES) response.setHeader(name, value);
}
