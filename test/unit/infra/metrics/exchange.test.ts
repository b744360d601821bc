import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { createExchange, type Exchange } from '../../../../infra/metrics/exchange.ts';
import { createMetrics } from '../../../../infra/metrics/metrics.ts';
import { METRICS } from '../../../../infra/metrics/names.ts';
import { forgetProcesses } from '../../../../infra/metrics/place.ts';
import { samplesIn } from '../../../support/exposition.ts';

describe('the figures of the processes of a node', () => {
  let dataDir: string;
  let running: Exchange[];
  let silent: Server | undefined;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'exchange-'));
    running = [];
  });
  afterEach(async () => {
    for (const exchange of running) await exchange.stop();
    silent?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function join_(name: string, age: number): Promise<Exchange> {
    const metrics = createMetrics();
    metrics.lookUp(METRICS.queueAge, () => age);
    const exchange = createExchange({ dataDir, name, metrics, log: pino({ enabled: false }) });
    await exchange.start();
    running.push(exchange);
    return exchange;
  }
  const told = async (by: Exchange, name: string) =>
    Object.fromEntries(
      samplesIn(await by.all())
        .filter((sample) => sample.name === name)
        .map(({ labels, value }) => [labels.process, value]),
    );

  it('are told by each of them, also where two have the same roles', async () => {
    const [gateway] = [await join_('gateway', 1), await join_('delivery', 2), await join_('delivery', 3)] as const;
    expect(await told(gateway, 'webhooks_queue_age_seconds')).to.deep.equal({
      ...{ gateway: 1, delivery: 2, 'delivery-2': 3 },
    });
  });

  it('are those of whoever stands alone, before it has been started too', async () => {
    const metrics = createMetrics();
    const exchange = createExchange({ dataDir, name: 'gateway', metrics, log: pino({ enabled: false }) });
    expect(await told(exchange, 'webhooks_process_up')).to.deep.equal({ gateway: 1 });
  });

  it('are missing of one that has left its socket and gone, or says nothing, until another takes its place', async () => {
    const gateway = await join_('gateway', 1);
    const path = join(dataDir, 'metrics', 'delivery.sock');
    silent = createServer(() => {}).listen(path);
    expect(await told(gateway, 'webhooks_process_up')).to.deep.equal({ gateway: 1, delivery: 0 });
    expect(await told(gateway, 'webhooks_queue_age_seconds')).to.deep.equal({ gateway: 1 });
    forgetProcesses(dataDir);
    expect(await told(gateway, 'webhooks_process_up')).to.deep.equal({ gateway: 1 });
  }).timeout(10_000);

  it('are not waited for once a process has stopped', async () => {
    const gateway = await join_('gateway', 1);
    const delivery = await join_('delivery', 2);
    await delivery.stop();
    expect(await told(gateway, 'webhooks_process_up')).to.deep.equal({ gateway: 1 });
  });
});
