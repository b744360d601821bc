/**
 * What the queue holds of a delivery: where to look it up, nothing more. The body is read where the delivery is made, so that a large payload or a
 * wide fan-out costs the broker no more than a small one.
 */
export interface QueueMessage {
  readonly event_id: number;
  readonly webhook_id: number;
  /** Place of the publication in the log: the read models must have reached it before the delivery can be looked up. */
  readonly position: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeMessage({ event_id, webhook_id, position }: QueueMessage): Uint8Array {
  return encoder.encode(`[${event_id},${webhook_id},${position}]`);
}

/** @throws SyntaxError where the bytes are no message of ours */
export function decodeMessage(bytes: Uint8Array): QueueMessage {
  const fields: unknown = JSON.parse(decoder.decode(bytes));
  if (!Array.isArray(fields) || fields.length !== 3 || !fields.every(Number.isSafeInteger)) {
    throw new SyntaxError('not a message of the delivery queue');
  }
  const [event_id, webhook_id, position] = fields;
  return { event_id, webhook_id, position };
}
