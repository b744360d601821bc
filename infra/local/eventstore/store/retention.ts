/** What the metadata of a stream says about which of its events can still be read from it. */
export interface Retention {
  readonly maxCount: number;
  readonly maxAgeMs: number;
  readonly truncateBefore: number;
  /** Soft-deleted: reads as not found until something is appended. */
  readonly deleted: boolean;
}

export const KEEP_ALL: Retention = { maxCount: Infinity, maxAgeMs: Infinity, truncateBefore: 0, deleted: false };
export const KEEP_LAST: Retention = { ...KEEP_ALL, maxCount: 1 };

/** Written by a soft delete. As text, since 2^63-1 is no exact JavaScript number. */
export const DELETED_METADATA = Buffer.from('{"$tb":9223372036854775807}');

export function parseRetention(metadata: Uint8Array): Retention {
  const fields = parseObject(metadata);
  const truncateBefore = wholeNumber(fields.$tb) ?? 0;
  const deleted = truncateBefore > Number.MAX_SAFE_INTEGER;
  return {
    maxCount: wholeNumber(fields.$maxCount) || Infinity,
    maxAgeMs: (wholeNumber(fields.$maxAge) || Infinity) * 1000,
    truncateBefore: deleted ? 0 : truncateBefore,
    deleted,
  };
}

/** The same metadata with another `$tb`. */
export function withTruncateBefore(metadata: Uint8Array, revision: number): Uint8Array {
  return Buffer.from(JSON.stringify({ ...parseObject(metadata), $tb: revision }));
}

function parseObject(json: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}
