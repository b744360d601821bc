import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';
import { METRICS } from './names.ts';

/** How often the event loop's delay is sampled, in ms: by a timer of the loop itself, without JavaScript. */
const SAMPLE_MS = 20;

/** What a process takes of the machine: read when it is asked for, so that it costs nothing before. */
export function tellProcessFigures(metrics: Metrics): void {
  const startedS = (Date.now() - performance.now()) / 1_000;
  const delays = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  delays.enable();
  // It counts the wait between two samples as well.
  const lateS = (ns: number) => Math.max(0, ns / 1e9 - SAMPLE_MS / 1_000) || 0;

  metrics.lookUp(METRICS.cpu, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  metrics.lookUp(METRICS.memory, () => process.memoryUsage.rss());
  metrics.lookUp(METRICS.heap, () => process.memoryUsage().heapUsed);
  metrics.lookUp(METRICS.startTime, () => startedS);
  metrics.lookUp(METRICS.loopBusy, () => performance.eventLoopUtilization().active / 1_000);
  metrics.lookUp(METRICS.loopLag, () => {
    const lag = { 0.5: lateS(delays.percentile(50)), 0.99: lateS(delays.percentile(99)), 1: lateS(delays.max) };
    delays.reset();
    return lag;
  });
}
