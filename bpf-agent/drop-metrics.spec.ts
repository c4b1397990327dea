import { expect, it } from 'vitest';
import { generatedWindow } from '#core/hubble/generated-flows.ts';
import { createRegistry } from '#runtime/metrics.ts';
import { DropMetrics } from './drop-metrics.ts';

it('tells every dropped packet, by reason and as far as known by direction', async () => {
  const registry = createRegistry({ processMetrics: false });
  const window = generatedWindow(400, 3);
  const { verdict, dropReason, direction } = window.columns;
  const denied = (way: number) =>
    Array.from({ length: 400 }, (_, row) => row).filter(
      (row) => verdict[row] === 2 && dropReason[row] === 133 && direction[row] === way,
    ).length;
  const metrics = new DropMetrics(registry, window, () => [1_000, 0, 3, 0, 0, 0, 0]);
  metrics.count(0, 400);
  const text = await registry.metrics();
  expect(denied(1) * denied(2)).toBeGreaterThan(0);
  expect(text).toContain(`cilium_drop_count_total{reason="Policy denied",direction="INGRESS"} ${denied(1)}\n`);
  expect(text).toContain(`cilium_drop_count_total{reason="Policy denied",direction="EGRESS"} ${denied(2)}\n`);
  const rest = 1_000 - denied(1) - denied(2);
  expect(text).toContain(`cilium_drop_count_total{reason="Policy denied",direction="UNKNOWN"} ${rest}\n`);
  expect(text).toContain('cilium_drop_count_total{reason="Invalid source ip",direction="UNKNOWN"} 3\n');
});
