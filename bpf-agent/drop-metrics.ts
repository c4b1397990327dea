import { DIRECTION, directions } from '#core/flow/direction.ts';
import { DROP_REASON, dropReasonText } from '#core/flow/drop-reason.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { Counter, type Registry } from '#runtime/metrics.ts';
import { DROPPED_CAUSES } from './maps/counters.ts';

/** Hubble's reason of each cause that the datapath counts. */
const REASONS: Readonly<Record<(typeof DROPPED_CAUSES)[number], number>> = {
  'policy denied': DROP_REASON.POLICY_DENIED,
  'policy deny': DROP_REASON.POLICY_DENY,
  'invalid source ip': DROP_REASON.INVALID_SOURCE_IP,
  'invalid packet': DROP_REASON.INVALID_PACKET_DROPPED,
  'endpoint not ready': DROP_REASON.DROP_EP_NOT_READY,
  'unroutable ip': DROP_REASON.STALE_OR_UNROUTABLE_IP,
  'service backend not found': DROP_REASON.SERVICE_BACKEND_NOT_FOUND,
  'source not in load-balancer range': DROP_REASON.DENIED_BY_LB_SRC_RANGE_CHECK,
};

/**
 * `cilium_drop_count_total`: every packet the datapath dropped, which is what people alert on. The datapath counts them by
 * reason; a drop's direction is known from its flow. Of drops that come too fast to be told one by one it is `UNKNOWN`.
 */
export class DropMetrics {
  readonly #window: FlowWindow;
  /** By reason and direction: packets that flows told of. */
  readonly #told = new Map<number, [number, number, number]>();

  constructor(registry: Registry, window: FlowWindow, dropped: () => readonly number[]) {
    this.#window = window;
    const told = this.#told;
    new Counter({
      name: 'cilium_drop_count_total',
      help: 'Packets dropped, by reason and direction.',
      labelNames: ['reason', 'direction'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [cause, count] of dropped().entries()) {
          const name = DROPPED_CAUSES[cause];
          if (name === undefined) continue;
          const reason = REASONS[name];
          const [, ingress, egress] = told.get(reason) ?? [0, 0, 0];
          const label = dropReasonText(reason);
          this.inc({ reason: label, direction: 'INGRESS' }, ingress);
          this.inc({ reason: label, direction: 'EGRESS' }, egress);
          this.inc(
            { reason: label, direction: directions.name(DIRECTION.UNKNOWN) },
            Math.max(0, count - ingress - egress),
          );
        }
      },
    });
  }

  /** Counts the window's rows at positions [from, to). */
  count(from: number, to: number): void {
    const { verdict, dropReason, direction } = this.#window.columns;
    for (let position = Math.max(from, this.#window.start); position < to; position++) {
      const row = this.#window.slot(position);
      if (verdict[row] !== VERDICT.DROPPED) continue;
      let counts = this.#told.get(dropReason[row]);
      if (counts === undefined) {
        counts = [0, 0, 0];
        this.#told.set(dropReason[row], counts);
      }
      counts[direction[row] < 3 ? direction[row] : 0]++;
    }
  }
}
