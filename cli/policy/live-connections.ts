import { BatchDecoder } from '#core/flow/batch.ts';
import { rowTimeNs } from '#core/flow/columns.ts';
import { REPLY } from '#core/flow/direction.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { hasPorts, isIcmp } from '#core/flow/protocol.ts';
import { isReserved, RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import { isAddress, parseAddress } from '#core/ip/address.ts';
import type { Connection, Party } from '#core/policy/connection.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { relayFailure } from '../relay-setting.ts';
import type { ReadCluster } from './read-cluster.ts';

/** Who opens connections to whom, on one port: what the relay's window holds of them. */
export interface LiveConnection extends Connection {
  /** `shop/web`, `node node1`, `192.0.2.1` */
  readonly from: string;
  readonly to: string;
  /** Flows that told of it. */
  readonly flows: number;
  /** Milliseconds since 1970. */
  readonly lastMs: number;
}

/** Most pairs that are told apart; beyond that the oldest flows are not looked at. */
const MOST_PAIRS = 100_000;
/** For all of the flows together. */
const DEADLINE_MS = 120_000;

/**
 * The connections of the last flows that a relay holds, by workload and port. Ends that the cluster's state knows are judged
 * as they are now; others as flows tell them.
 *
 * @param last how many past flows to look at
 */
export async function liveConnections(cluster: ReadCluster, server: string, last: number): Promise<LiveConnection[]> {
  const client = createClient(FlowService, server, { maxReceiveBytes: 16 * 1024 * 1024 });
  const endpoints = new EndpointStore();
  const decoder = new BatchDecoder({ endpoints, nodeNumber: () => 0 });
  const ends = new Ends(cluster, endpoints);
  const found = new Map<string, LiveConnection & { flows: number; lastMs: number }>();
  try {
    for await (const batch of client.follow({ last, follow: false }, { deadlineMs: DEADLINE_MS })) {
      const { rows, columns } = decoder.decode(batch);
      for (let row = 0; row < rows; row++) {
        const reply = columns.reply[row];
        const protocol = columns.protocol[row];
        if (reply === REPLY.UNKNOWN || !(hasPorts(protocol) || isIcmp(protocol))) continue;
        // An ICMP reply has another type than what it answers: only requests tell what was asked for.
        if (isIcmp(protocol) && reply === REPLY.REPLY) continue;
        const backwards = reply === REPLY.REPLY;
        const from = ends.of(backwards ? columns.destination[row] : columns.source[row]);
        const to = ends.of(backwards ? columns.source[row] : columns.destination[row]);
        const port = isIcmp(protocol)
          ? columns.sourcePort[row]
          : backwards
            ? columns.sourcePort[row]
            : columns.destinationPort[row];
        const key = `${from.key}>${to.key}:${port}/${protocol}`;
        const lastMs = Number(rowTimeNs(columns, row) / 1_000_000n);
        const known = found.get(key);
        if (known !== undefined) {
          known.flows++;
          known.lastMs = Math.max(known.lastMs, lastMs);
        } else if (found.size < MOST_PAIRS) {
          const names = { from: from.name, to: to.name, source: from.party, destination: to.party };
          found.set(key, { ...names, protocol, port, flows: 1, lastMs });
        }
      }
    }
  } catch (error) {
    throw relayFailure(error, server);
  } finally {
    client.close();
  }
  return [...found.values()].sort((a, b) => b.flows - a.flows || (a.from + a.to < b.from + b.to ? -1 : 1));
}

interface End {
  readonly name: string;
  /** Equal for pods of one workload that policies cannot tell apart. */
  readonly key: string;
  readonly party: Party;
}

/** Ends of connections, by the number of their endpoint in a stream. */
class Ends {
  readonly #endpoints: EndpointStore;
  readonly #pods: ReadonlyMap<string, ReadCluster['pods'][number]>;
  readonly #known: (End | undefined)[] = [];

  constructor({ pods }: ReadCluster, endpoints: EndpointStore) {
    this.#endpoints = endpoints;
    this.#pods = new Map([
      ...pods.map((pod) => [`${pod.namespace}/${pod.workload.name}`, pod] as const),
      ...pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod] as const),
    ]);
  }

  of(number: number): End {
    this.#known[number] ??= this.#end(this.#endpoints.get(number));
    return this.#known[number];
  }

  #end(endpoint: Endpoint): End {
    const { namespace, pod, workloadName, node } = endpoint;
    const address = isAddress(endpoint.address) ? parseAddress(endpoint.address) : undefined;
    // A pod that is gone is judged as one of its workload that is there.
    const known = this.#pods.get(`${namespace}/${pod}`) ?? this.#pods.get(`${namespace}/${workloadName}`);
    if (known !== undefined) {
      const name = `${namespace}/${known.workload.name}`;
      const party = { identity: known.identity, address, node: known.node };
      return { name, key: `${name} ${known.identity} ${known.node} ${address?.length}`, party };
    }
    if (namespace !== '') {
      const name = `${namespace}/${workloadName || pod}`;
      return { name, key: name, party: { identity: endpoint.identity, address, node } };
    }
    const isNode = [RESERVED_IDENTITY.host, RESERVED_IDENTITY['remote-node']].some((id) => id === endpoint.identity);
    const name = isNode && node !== '' ? `node ${node}` : endpoint.address;
    const identity = isReserved(endpoint.identity) ? endpoint.identity : RESERVED_IDENTITY.world;
    return { name, key: name, party: { identity, address, node } };
  }
}
