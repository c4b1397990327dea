import { DROP_REASON } from '#core/flow/drop-reason.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { type SampleFlow, TO_ENDPOINT, TO_STACK } from '#runtime/testing/sample-flows.ts';
import { audited, dropped, droppedByPolicy, pod, policy, WORLD } from './fake-agent.ts';

const NAMESPACES = ['shop', 'payments', 'platform', 'data', 'search', 'observability', 'identity', 'media'];
const WORKLOADS =
  'frontend cart checkout payment shipping catalog recommendation ads currency email orders users sessions search inventory pricing reviews ratings notifications gateway auth billing reports worker scheduler'.split(
    ' ',
  );
const PORTS = [8080, 9080, 3306, 6379, 5432];
const DNS = { ...pod('kube-system', 'coredns', 'node-2', '10.9.2.4'), labels: ['k8s:k8s-app=kube-dns'] };

/** What so many workloads say to each other, the same every time: trees of calls within namespaces of ten, calls between them, the world, DNS, drops. */
export function busyCluster(workloads: number): SampleFlow[] {
  let state = 7;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const call = (
    source: Endpoint,
    destination: Endpoint,
    destinationPort: number,
    more: SampleFlow = {},
  ): SampleFlow => ({
    ...TO_ENDPOINT,
    source,
    destination,
    destinationPort,
    rttMicros: 300 + below(3_000),
    bytesOriginal: 900,
    ...more,
  });
  const namespaces: Endpoint[][] = [];
  for (let made = 0; made < workloads; made++) {
    const at = Math.floor(made / 10);
    namespaces[at] ??= [];
    const round = Math.floor(made / WORKLOADS.length);
    const name = `${WORKLOADS[made % WORKLOADS.length]}${round === 0 ? '' : `-${round}`}`;
    const address = `10.${1 + (made >> 8)}.${made & 255}.5`;
    namespaces[at].push(pod(NAMESPACES[at] ?? `team-${at}`, name, `node-${1 + (made % 2)}`, address));
  }
  const flows = namespaces.flatMap((members, at) => {
    const inner = members.slice(1).flatMap((to, index) => {
      const calls = [call(members[below(Math.ceil((index + 1) * 0.7))], to, PORTS[below(PORTS.length)])];
      if (below(3) === 0) calls.push(call(members[below(index + 1)], to, 8080));
      return calls;
    });
    const fromOutside =
      at === 0 ? call({ ...WORLD }, members[0], 443) : call(namespaces[below(at)][1], members[0], 8443);
    const toDns = call(members[1], DNS, 53, { protocol: 17, tcpFlags: 0, rttMicros: 0 });
    return [...inner, fromOutside, toDns];
  });
  const [first, second] = namespaces;
  const api = { ...WORLD, address: '203.0.113.7', names: ['api.example.com'] };
  flows.push({ ...call(first[0], api, 443), ...TO_STACK });
  if (second === undefined) return flows;
  return [
    ...flows,
    droppedByPolicy(
      { source: second[3], destination: first[4], destinationPort: 6379 },
      policy('shop', 'default-deny'),
    ),
    dropped({ source: first[5], destination: second[2], destinationPort: 80 }, DROP_REASON.SERVICE_BACKEND_NOT_FOUND),
    audited({ source: first[1], destination: second[1], destinationPort: 8080 }, policy('payments', 'lockdown')),
  ];
}
