import { expect } from 'chai';
import { placeOf, to } from '../../../services/console/place.ts';

describe('the addresses of the console', () => {
  it('lead where they were made for', () => {
    expect(placeOf(to.channels)).to.deep.equal({ page: 'channels' });
    expect(placeOf(to.channel('a.guid'))).to.deep.equal({ page: 'channel', channel: 'a.guid' });
    expect(placeOf(to.event(1, 2))).to.deep.equal({ page: 'event', channel: '1', event: '2' });
    expect(placeOf(to.webhook(1, 3))).to.deep.equal({ page: 'webhook', channel: '1', webhook: '3' });
    const query = { q: 'a b&c=%', status: 'failed' };
    expect(placeOf(to.search(1, { ...query, since: '' }))).to.deep.equal({ page: 'search', channel: '1', query });
  });

  it('lead to the beginning, or nowhere, where they were made by nobody', () => {
    for (const hash of ['', '#', '#/']) expect(placeOf(hash)).to.deep.equal({ page: 'home' });
    for (const hash of [
      '#/x',
      '#/channels/1/x',
      '#/channels/1/events',
      '#/channels/1/events/2/3',
      '#/channels/1/search/2',
    ])
      expect(placeOf(hash), hash).to.deep.equal({ page: 'nowhere' });
    expect(placeOf('#/channels/%')).to.deep.equal({ page: 'channel', channel: '%' });
  });
});
