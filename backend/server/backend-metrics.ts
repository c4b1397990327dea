import { LossSource, NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import { Counter, createRegistry, Gauge, type Registry } from '#runtime/metrics.ts';
import type { Replicas } from '../auth/replicas.ts';
import type { Relay } from '../relay/relay.ts';

/** What the backend tells Prometheus about itself. */
export function backendMetrics(relay: Relay, selections: () => number): { registry: Registry; missed: Counter } {
  const registry = createRegistry();
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge('waggle_relay_flows_held', 'Flows in the window', () => relay.window.length);
  gauge('waggle_relay_flows_capacity', 'Flows the window holds at most', () => relay.window.capacity);
  gauge(
    'waggle_relay_endpoints_held',
    'Endpoints that flows in the window refer to',
    () => relay.window.endpoints.size,
  );
  gauge(
    'waggle_relay_decisions_refused',
    'Policy decisions not told because 65,535 different ones were held',
    () => relay.window.decisions.refused,
  );
  gauge(
    'waggle_relay_requests_held',
    'Different records of requests (layer 7) that flows in the window refer to',
    () => relay.window.layer7.size - 1,
  );
  gauge(
    'waggle_relay_requests_shortened',
    'Records of requests of which headers, ids or more had to go, as memory for them is bounded',
    () => relay.window.layer7.shortened,
  );
  gauge('waggle_view_selections', 'Distinct choices of namespaces and filters looked at', selections);
  let told = 0;
  new Counter({
    name: 'waggle_relay_flows_total',
    help: 'Flows received from node agents',
    registers: [registry],
    collect() {
      this.inc(relay.rate.total - told);
      told = relay.rate.total;
    },
  });
  new Gauge({
    name: 'waggle_relay_nodes',
    help: 'Node agents by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const nodes = relay.nodes();
      for (const [state, name] of STATES)
        this.set({ state: name }, nodes.filter((node) => node.state === state).length);
    },
  });
  new Gauge({
    name: 'waggle_relay_lost_flows',
    help: 'Flows lost since the backend started, by where',
    labelNames: ['source'],
    registers: [registry],
    collect() {
      for (const { source, count } of relay.losses.counts()) {
        this.set({ source: lossSourceName(source) }, Number(count));
      }
    },
  });
  const missed = new Counter({
    name: 'waggle_view_missed_flows_total',
    help: 'Flows that viewers were too slow to take',
    registers: [registry],
  });
  return { registry, missed };
}

/** How many windows there are for those who may see some namespaces. */
export function countAudiences(registry: Registry, audiences: () => number): void {
  new Gauge({
    name: 'waggle_backend_audiences',
    help: 'Different sets of namespaces that are looked at',
    registers: [registry],
    collect() {
      this.set(audiences());
    },
  });
}

/** How many others hear who signs out here; to be one less than there are. */
export function countReplicas(registry: Registry, replicas: Replicas): void {
  new Gauge({
    name: 'waggle_backend_replicas',
    help: 'Other replicas that hear who signs out at this one',
    registers: [registry],
    collect() {
      this.set(replicas.answering);
    },
  });
}

/** `kernel_ring` */
function lossSourceName(source: LossSource): string {
  const name = Object.entries(LossSource).find(([, value]) => value === source)?.[0];
  return (name ?? `source_${source}`).toLowerCase();
}

const STATES = [
  [NodeState.CONNECTING, 'connecting'],
  [NodeState.CONNECTED, 'connected'],
  [NodeState.UNAVAILABLE, 'unavailable'],
] as const;
