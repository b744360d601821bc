import type { StoredEvent } from '../../infra/event-store/client.ts';

/** Events as they go to another thread: what is text in one string, what is bytes in one buffer, which is handed over and not copied. */
export interface EventBatch {
  /** Position up to which the log has been read. */
  readonly position: number;
  /** Six lines an event. */
  readonly names: string;
  /** Metadata and data of an event after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Lengths of these. */
  readonly lengths: Uint32Array<ArrayBuffer>;
}

const LINES = 6;

export function packEvents(events: readonly StoredEvent[], position: number): EventBatch {
  const total = events.reduce((sum, { metadata, data }) => sum + metadata.length + data.length, 0);
  const bytes = new Uint8Array(total);
  const lengths = new Uint32Array(2 * events.length);
  let end = 0;
  for (const [n, { metadata, data }] of events.entries()) {
    bytes.set(metadata, end);
    bytes.set(data, end + metadata.length);
    end += metadata.length + data.length;
    lengths.set([metadata.length, data.length], 2 * n);
  }
  const lines = events.map(({ stream, type, id, created, revision, position: at }) =>
    [stream, type, id, created, revision, at].join('\n'),
  );
  return { position, names: lines.join('\n'), bytes, lengths };
}

export function unpackEvents({ names, bytes, lengths }: EventBatch): StoredEvent[] {
  const lines = names.split('\n');
  let end = 0;
  const part = (length: number) => {
    end += length;
    return Buffer.from(bytes.buffer, end - length, length);
  };
  return Array.from({ length: lengths.length / 2 }, (_, n) => {
    const [stream = '', type = '', id = '', created = '', revision, position] = lines.slice(LINES * n, LINES * (n + 1));
    const metadata = part(lengths[2 * n] ?? 0);
    const data = part(lengths[2 * n + 1] ?? 0);
    return { stream, type, id, created, revision: Number(revision), position: Number(position), metadata, data };
  });
}
