import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ChaosStack, startChaosStack } from '../../chaos/chaos-stack.ts';
import { type Api, apiAt } from '../../support/api.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: ids increase, also where the gateway's clock is set back and it is killed while the read models do not know its last events. */
describe('ids', function () {
  this.timeout(120_000);
  let stack: ChaosStack;
  let api: Api;

  before(async () => {
    stack = await startChaosStack(mkdtempSync(join(tmpdir(), 'webhooks-ids-')));
    api = apiAt(stack.url);
  });
  after(async () => {
    await stack?.stop();
    stack?.remove();
  });

  it('increase although nothing that is read knows the last one', async () => {
    const channel = await api.newChannel();
    await api.publish(channel);
    stack.signal('projector+relay', 'SIGSTOP');
    let last = 0;
    for (let n = 0; n < 10; n++) last = (await api.publish(channel)).id;
    stack.moveClock('gateway', -20_000);
    const killed = stack.pid('gateway');
    stack.signal('gateway', 'SIGKILL');
    await waitFor('another gateway', () => stack.pid('gateway') !== killed && isAlive());
    stack.signal('projector+relay', 'SIGCONT');
    const next = await waitFor('an accepted event', () => api.publish(channel).catch(() => undefined));
    expect(next?.id).to.be.greaterThan(last);
  });

  const isAlive = () =>
    api.call('GET', '/healthz').then(
      ({ status }) => status === 200,
      () => false,
    );
});
