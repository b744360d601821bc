/** Where one is, as the address behind `#` says it: ids and filters, never a key. Nothing here knows of the page. */
export type Place =
  | { readonly page: 'home' | 'channels' }
  | { readonly page: 'channel'; readonly channel: string }
  | { readonly page: 'search'; readonly channel: string; readonly query: Readonly<Record<string, string>> }
  | { readonly page: 'event'; readonly channel: string; readonly event: string }
  | { readonly page: 'webhook'; readonly channel: string; readonly webhook: string }
  | { readonly page: 'nowhere' };

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [root, channel, kind, id, ...more] = path.split('/').map(decoded);
  if (root === '') return { page: 'home' };
  if (root !== 'channels' || more.length > 0) return { page: 'nowhere' };
  if (!channel) return { page: 'channels' };
  if (kind === undefined) return { page: 'channel', channel };
  if (kind === 'search' && id === undefined)
    return { page: 'search', channel, query: Object.fromEntries(new URLSearchParams(query)) };
  if (kind === 'events' && id) return { page: 'event', channel, event: id };
  if (kind === 'webhooks' && id) return { page: 'webhook', channel, webhook: id };
  return { page: 'nowhere' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

const part = encodeURIComponent;

export const to = {
  channels: '#/channels',
  channel: (channel: string | number) => `#/channels/${part(channel)}`,
  event: (channel: string | number, event: number | string) => `#/channels/${part(channel)}/events/${part(event)}`,
  webhook: (channel: string | number, webhook: number | string) =>
    `#/channels/${part(channel)}/webhooks/${part(webhook)}`,
  search: (channel: string | number, query: Readonly<Record<string, string>> = {}) => {
    const given = Object.entries(query).filter(([, value]) => value !== '');
    return `#/channels/${part(channel)}/search${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`;
  },
};

/** The same in the API. */
export const path = {
  channel: (channel: string) => `/v1/channels/${part(channel)}`,
  events: (channel: string) => `/v1/channels/${part(channel)}/events`,
  event: (channel: string, event: string) => `/v1/channels/${part(channel)}/events/${part(event)}`,
  webhooks: (channel: string) => `/v1/channels/${part(channel)}/webhooks`,
  webhook: (channel: string, webhook: string | number) => `/v1/channels/${part(channel)}/webhooks/${part(webhook)}`,
};
