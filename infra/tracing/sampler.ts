import type * as Sdk from '@opentelemetry/sdk-trace';

/** The values that OTEL_TRACES_SAMPLER takes here. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export interface Sampling {
  readonly otelSampler: (typeof SAMPLERS)[number];
  /** Of `traceidratio`: the part of traces that is recorded, 0 to 1. */
  readonly otelSamplerRatio: number;
}

/** Which spans are recorded. */
export function samplerOf({ otelSampler, otelSamplerRatio }: Sampling, sdk: typeof Sdk): Sdk.Sampler {
  switch (otelSampler) {
    case 'always_on':
      return new sdk.AlwaysOnSampler();
    case 'always_off':
      return new sdk.AlwaysOffSampler();
    case 'traceidratio':
      return new sdk.TraceIdRatioBasedSampler(otelSamplerRatio);
    case 'parentbased_always_on':
      return new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new sdk.ParentBasedSampler({ root: new sdk.AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(otelSamplerRatio) });
  }
}
