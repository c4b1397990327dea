import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  AgentEndpointSchema,
  type AgentService,
  AwaitEndpointResponseSchema,
  ListEndpointsResponseSchema,
  type ListRuleHitsResponse,
  ListRuleHitsResponseSchema,
} from '#proto/gen/waggle/v1/agent_pb.ts';
import { Code, type Handlers, StatusError } from '#runtime/grpc/service.ts';
import type { RuleHitLog } from './policy/rule-hits.ts';
import type { NodeSync } from './sync/node-sync.ts';
import type { SyncLoop } from './sync/sync-loop.ts';

const LONGEST_WAIT_MS = 60_000;
/** While somebody waits for a pod, it is looked for this often, in milliseconds: nothing tells that a process has started. */
const LOOK_MS = 20;

/** What the machinery of a node asks of its agent. */
export class EndpointService implements Handlers<typeof AgentService> {
  readonly #sync: NodeSync;
  readonly #loop: SyncLoop;

  readonly #hits: Pick<RuleHitLog, 'sinceMs' | 'messages'>;
  readonly #audit: boolean;

  /**
   * @param hits which rules have decided
   * @param audit nothing is enforced on this node
   */
  constructor(sync: NodeSync, loop: SyncLoop, hits: Pick<RuleHitLog, 'sinceMs' | 'messages'>, audit: boolean) {
    this.#sync = sync;
    this.#loop = loop;
    this.#hits = hits;
    this.#audit = audit;
  }

  async listRuleHits(): Promise<ListRuleHitsResponse> {
    return create(ListRuleHitsResponseSchema, {
      since: timestampFromMs(this.#hits.sinceMs),
      rules: this.#hits.messages(),
      audit: this.#audit,
    });
  }

  awaitEndpoint: Handlers<typeof AgentService>['awaitEndpoint'] = async (request, { signal }) => {
    const { podUid, timeoutMs } = request;
    if (podUid === '') throw new StatusError(Code.INVALID_ARGUMENT, 'pod_uid is empty');
    if (timeoutMs > LONGEST_WAIT_MS) {
      throw new StatusError(
        Code.INVALID_ARGUMENT,
        `timeout_ms is ${timeoutMs}; at most ${LONGEST_WAIT_MS} is possible`,
      );
    }
    const deadline = performance.now() + timeoutMs;
    while (!signal.aborted) {
      await this.#loop.next();
      // A static pod is called by its manifest's hash on its node, and otherwise by the API server's copy of it.
      const known =
        this.#sync.pods.get(podUid) ?? [...this.#sync.pods.values()].find(({ pod }) => pod.cgroupUid === podUid);
      if (known?.endpoint !== undefined && known.problem === '') {
        const { id, pod, interface: link } = known.endpoint;
        return create(AwaitEndpointResponseSchema, {
          interfaceIndex: link.index,
          interfaceName: link.name,
          identity: pod.identity,
          endpointId: id,
        });
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        const missing = known?.problem ?? 'the cluster state has no such pod on this node';
        const name = known === undefined ? podUid : `${known.pod.namespace}/${known.pod.name}`;
        throw new StatusError(Code.DEADLINE_EXCEEDED, `pod ${name}: ${missing}`);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, left)));
    }
    throw new StatusError(Code.CANCELLED, 'the caller went away');
  };

  async listEndpoints() {
    const endpoints = [...this.#sync.pods].map(([podUid, { pod, endpoint, problem }]) =>
      create(AgentEndpointSchema, {
        endpointId: endpoint?.id ?? 0,
        podUid,
        namespace: pod.namespace,
        pod: pod.name,
        identity: pod.identity,
        addresses: [...pod.addresses],
        interfaceIndex: endpoint?.interface.index ?? 0,
        interfaceName: endpoint?.interface.name ?? '',
        problem,
      }),
    );
    return create(ListEndpointsResponseSchema, { endpoints });
  }
}
