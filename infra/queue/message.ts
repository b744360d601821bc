/**
 * What the queue holds of a delivery: where to look it up, nothing more. The body is read where the delivery is made, so that a large payload or a
 * wide fan-out costs the broker no more than a small one.
 */
export interface QueueMessage {
  readonly event_id: number;
  readonly webhook_id: number;
  /** Place in the log that the read models must have reached before the delivery can be looked up: its publication, or an attempt of it. */
  readonly position: number;
  /** Before this time it need not be looked up, in ms since the epoch: it only waits. */
  readonly due_ms?: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeMessage({ event_id, webhook_id, position, due_ms }: QueueMessage): Uint8Array {
  const fields = [event_id, webhook_id, position, ...(due_ms === undefined ? [] : [due_ms])];
  return encoder.encode(JSON.stringify(fields));
}

/** @throws SyntaxError where the bytes are no message of ours */
export function decodeMessage(bytes: Uint8Array): QueueMessage {
  const fields: unknown = JSON.parse(decoder.decode(bytes));
  if (!Array.isArray(fields) || fields.length < 3 || fields.length > 4 || !fields.every(Number.isSafeInteger)) {
    throw new SyntaxError('not a message of the delivery queue');
  }
  const [event_id, webhook_id, position, due_ms] = fields;
  return { event_id, webhook_id, position, ...(due_ms !== undefined && { due_ms }) };
}
