import type { Attributes, Span } from '@opentelemetry/api';
import type { Logger } from '../log.ts';
import { pause } from '../pause.ts';
import { PRODUCT } from '../product.ts';
import { seldom } from '../seldom.ts';
import type { Settings } from '../settings.ts';
import { createForcing } from './forcing.ts';
import { type Sampling, samplerOf } from './sampler.ts';
import { readTraceparent, type TraceContext, writeTraceparent } from './traceparent.ts';

/** How long a stop waits for the last spans to be sent, in ms. */
const FLUSH_MS = 1_000;
/** How often it is said at most that spans cannot be sent, in ms. */
const SAY_MS = 60_000;
/** Spans that wait to be sent; those beyond are dropped: what a collector that is away costs is bounded. */
const MOST_WAITING = 2_048;

export type TracingSettings = Sampling &
  Pick<Settings, 'otlpEndpoint' | 'otlpTracesEndpoint' | 'otelDisabled' | 'otelExporter' | 'otelScheduleDelayMs'>;

export type SpanKind = 'server' | 'client' | 'producer';

/** What is under way. */
export interface OpenSpan {
  /** What is done for it names this one as its parent. */
  readonly traceparent: string;
  readonly traceId: string;
  /** @param failed why, where it came to nothing */
  end(attributes?: Attributes, failed?: string): void;
  rename(name: string): void;
}

export type Tracing = NonNullable<Awaited<ReturnType<typeof startTracing>>>;

const isOn = ({ otelDisabled, otelExporter, otlpEndpoint, otlpTracesEndpoint }: TracingSettings): boolean =>
  !otelDisabled && otelExporter === 'otlp' && (otlpEndpoint ?? otlpTracesEndpoint) !== undefined;

/**
 * Spans, sent by OTLP over HTTP (JSON) to where the standard variables say; undefined where they name no place, and then nothing of it is loaded. What is not read here (headers, compression, timeouts, certificates, resource attributes)
 * the libraries read by themselves.
 * @param name the roles of this process
 */
export async function startTracing(settings: TracingSettings, name: string, log: Logger) {
  if (!isOn(settings)) return undefined;
  const api = await import('@opentelemetry/api');
  const sdk = await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { detectResources, envDetector, resourceFromAttributes, serviceNameEnvDetector } = await import(
    '@opentelemetry/resources'
  );
  const { diag, DiagLogLevel, ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags } = api;
  const KINDS = { server: api.SpanKind.SERVER, client: api.SpanKind.CLIENT, producer: api.SpanKind.PRODUCER };

  const sayLost = seldom(SAY_MS, (message: string) => log.warn({ reason: message }, 'spans cannot be sent'));
  const quiet = () => {};
  diag.setLogger({ error: sayLost, warn: sayLost, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  const own = { 'service.name': PRODUCT.name, 'service.version': PRODUCT.version, 'webhooks.process': name };
  const given = detectResources({ detectors: [envDetector, serviceNameEnvDetector] });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes(own).merge(given),
    sampler: samplerOf(settings, sdk),
    spanLimits: { attributeValueLengthLimit: 1_024 },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        maxQueueSize: MOST_WAITING,
        scheduledDelayMillis: settings.otelScheduleDelayMs,
      }),
    ],
  });
  const tracer = provider.getTracer(PRODUCT.name, PRODUCT.version);
  const forcing = createForcing(() => performance.now());

  function begin(spanName: string, kind: SpanKind, parent: TraceContext | undefined, attributes: Attributes): OpenSpan {
    const context = parent && trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
    return opened(tracer.startSpan(spanName, { kind: KINDS[kind], attributes }, context ?? ROOT_CONTEXT));
  }

  function contextOf({ traceId, spanId, isSampled }: TraceContext) {
    return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
  }

  function opened(span: Span): OpenSpan {
    const { traceId, spanId, traceFlags } = span.spanContext();
    const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    return {
      traceparent: writeTraceparent({ traceId, spanId, isSampled }),
      traceId,
      end(attributes = {}, failed) {
        span.setAttributes(attributes);
        if (failed !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failed });
        span.end();
      },
      rename: (to) => void span.updateName(to),
    };
  }

  return {
    /** @param parent a traceparent of ours; what is done for it */
    begin: (spanName: string, kind: SpanKind, parent: string | undefined, attributes: Attributes): OpenSpan =>
      begin(spanName, kind, readTraceparent(parent), attributes),
    /** Goes on with what a caller has begun, where its header names that. @param header its traceparent */
    beginFor: (spanName: string, header: string | undefined, attributes: Attributes): OpenSpan =>
      begin(spanName, 'server', forcing.within(readTraceparent(header)), attributes),
    /** Sends what is left, as far as that takes no longer than a moment. */
    async stop(): Promise<void> {
      const over = new AbortController();
      const late = pause(FLUSH_MS, over.signal).then(() => over.signal.aborted || sayLost('the process stops'));
      const sent = provider.shutdown().catch((error: Error) => sayLost(error.message));
      await Promise.race([sent, late]);
      over.abort();
    },
  };
}
