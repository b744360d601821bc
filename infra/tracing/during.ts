import type { Attributes } from '@opentelemetry/api';
import type { SpanKind, Tracing } from './tracing.ts';

/** Where a span belongs, and what is known of it when it begins. */
export interface Spanned {
  readonly name: string;
  readonly kind: SpanKind;
  /** A traceparent of ours. */
  readonly parent: string | undefined;
  readonly attributes: Attributes;
}

/** Does some work in a span of its own, where traces are on. @throws what the work throws */
export async function during<T>(tracing: Tracing | undefined, spanned: Spanned, work: () => Promise<T>): Promise<T> {
  if (!tracing) return work();
  const { name, kind, parent, attributes } = spanned;
  const span = tracing.begin(name, kind, parent, attributes);
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end({}, (error as Error).name);
    throw error;
  }
}
