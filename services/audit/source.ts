import { resolve } from 'node:path';
import { connectEventStore, type EventStore, type StoredEvent } from '../../infra/event-store/client.ts';
import { reachStore } from '../../infra/local/reach-store.ts';
import { readSettings } from '../../infra/settings.ts';

/** The log that is looked into, and what was made of it here. */
export interface AuditedLog {
  readonly store: EventStore;
  readonly dataDir: string;
}

/** Connects to the log that the settings name; closes it behind `use`, or when it is told to stop. @throws CannotStart, SettingError */
export async function withLog(use: (log: AuditedLog, signal: AbortSignal) => Promise<void>): Promise<void> {
  const settings = readSettings(process.env);
  const dataDir = resolve(settings.dataDir);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  // Whoever reads what we print has had enough.
  process.stdout.on('error', () => stop.abort());
  const reached = await reachStore(dataDir, settings.eventstoreUrl);
  const store = connectEventStore(reached.url);
  try {
    await use({ store, dataDir }, stop.signal);
  } finally {
    await store.close();
    await reached.close();
  }
}

/** When the store took an event, in ms since the epoch; it says so in .NET ticks, of which 10,000 are one. */
export function recordedMs({ created }: StoredEvent): number {
  return Number(created.slice(0, -4));
}
