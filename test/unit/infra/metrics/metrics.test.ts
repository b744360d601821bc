import { expect } from 'chai';
import { createMetrics } from '../../../../infra/metrics/metrics.ts';
import { METRICS } from '../../../../infra/metrics/names.ts';

describe('what is looked up when the figures are told', () => {
  const told = async (metrics: ReturnType<typeof createMetrics>) =>
    Object.fromEntries((await metrics.figures()).map(({ name, values }) => [name, values]));

  it('is there as it is then', async () => {
    const metrics = createMetrics();
    let age = 1;
    metrics.lookUp(METRICS.queueAge, () => age);
    metrics.lookUp(METRICS.queueMessages, async () => ({ untaken: 0, stuck: 2 }));
    age = 0;
    expect(await told(metrics)).to.deep.equal({
      webhooks_queue_age_seconds: [{ value: 0, labels: {} }],
      webhooks_queue_messages: [
        { value: 0, labels: { state: 'untaken' } },
        { value: 2, labels: { state: 'stuck' } },
      ],
    });
  });

  it('is missing, and not 0, where it is not known, fails or takes too long', async () => {
    const metrics = createMetrics();
    metrics.lookUp(METRICS.relayLag, () => undefined);
    metrics.lookUp(METRICS.queueAge, async () => {
      throw new Error('the queue is away');
    });
    metrics.lookUp(METRICS.oldestDue, () => {
      throw new Error('no table');
    });
    metrics.lookUp(METRICS.queueMessages, () => new Promise(() => {}));
    metrics.lookUp(METRICS.queueUp, () => 1);
    expect(await told(metrics)).to.deep.equal({
      webhooks_relay_lag_seconds: [],
      webhooks_queue_age_seconds: [],
      webhooks_oldest_due_delivery_age_seconds: [],
      webhooks_queue_messages: [],
      webhooks_queue_up: [{ value: 1, labels: {} }],
    });
  });
});
