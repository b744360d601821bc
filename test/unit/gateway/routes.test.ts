import { expect } from 'chai';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';

describe('routes', () => {
  const having = (is: 'isDelivering' | 'isPublishing') =>
    ROUTES.filter((route) => route[is]).map(
      ({ method, path }) => `${method} ${path.replace('/v1/channels/:channel/', '')}`,
    );

  it('that make deliveries wait for room, and those that publish count as publications', () => {
    const publishing = ['POST events', 'POST events/batch'];
    const again = ['POST events/:event/redeliver', 'POST webhooks/:webhook/ping', 'POST webhooks/:webhook/recover'];
    expect(having('isPublishing')).to.have.members(publishing);
    expect(having('isDelivering')).to.have.members([...publishing, ...again]);
  });
});
