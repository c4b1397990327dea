import type { FlowMetricsOptions } from '#runtime/hubble/flow-metrics.ts';
import { CONTEXT_LABELS, DEFAULT_SERIES } from '#runtime/hubble/metric-context.ts';
import { count, listOf, oneOf } from '#runtime/settings/parsers.ts';
import { setting } from '#runtime/settings/setting.ts';

export interface MetricsFlags {
  metricsContext: string[];
  metricsSeries: number;
}

/**
 * How Hubble's metric families are counted.
 *
 * @param what is counted: "flows"
 */
export function metricsSettings(what: string) {
  return [
    setting<string[]>({
      flags: '--metrics-context <labels>',
      description: `labels by which ${what} are counted beside those of their families: ${CONTEXT_LABELS.join(', ')}`,
      parser: listOf(oneOf(...CONTEXT_LABELS)),
      default: [],
      defaultText: 'none',
    }),
    setting<number>({
      flags: '--metrics-series <count>',
      description: `series of one metric family; ${what} beyond are counted by waggle_metrics_overflow_total`,
      parser: count(1, 1_000_000),
      default: DEFAULT_SERIES,
    }),
  ];
}

export function metricsOf({ metricsContext, metricsSeries }: MetricsFlags): FlowMetricsOptions {
  return { context: metricsContext, series: metricsSeries };
}
