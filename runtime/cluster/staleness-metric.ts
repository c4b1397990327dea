import { Gauge, type Registry } from '../metrics.ts';
import type { ClusterSource } from './source.ts';

/** Tells Prometheus how old what a process knows of the cluster is; its start counts where nothing was ever read. */
export function registerStaleness(registry: Registry, source: ClusterSource, startedMs = Date.now()): void {
  new Gauge({
    name: 'waggle_cluster_state_stale_seconds',
    help: "Since when nothing new could be read of the cluster's state; 0 = it is up to date",
    registers: [registry],
    collect() {
      const since = source.problems().flatMap(({ stale }) => (stale === undefined ? [] : [stale.sinceMs ?? startedMs]));
      this.set(since.length === 0 ? 0 : Math.max(0, Date.now() - Math.min(...since)) / 1_000);
    },
  });
}
