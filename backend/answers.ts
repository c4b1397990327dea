import { nodeOfKey } from '#core/card/card-name.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { PolicyService } from '#proto/gen/waggle/v1/policy_pb.ts';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { type ServedService, service } from '#runtime/grpc/service.ts';
import { observerService } from '#runtime/hubble/observer-service.ts';
import { peerService } from '#runtime/hubble/peer-service.ts';
import { SeenNamespaces } from '#runtime/hubble/seen-namespaces.ts';
import type { Visibility } from './access/visibility.ts';
import { visibleSource } from './access/visible-source.ts';
import { relayFlows } from './hubble/relay-flows.ts';
import type { HitCollector } from './policy/hit-collector.ts';
import { PolicyPictures } from './policy/policy-picture.ts';
import { policyHandlers } from './policy/policy-service.ts';
import type { MergedFlows } from './relay/merged-flows.ts';
import type { ServiceCollector } from './services/service-collector.ts';
import type { Crowd } from './view/crowd.ts';
import { encodedUpdate } from './view/encoded-update.ts';
import { flowHandlers } from './view/flow-service.ts';
import { Namespaces } from './view/namespaces.ts';
import type { ReplicaCounts } from './view/replica-counts.ts';
import type { MapLimits } from './view/selection.ts';
import { Selections } from './view/selections.ts';
import { StatusBoard } from './view/status-board.ts';
import { type Rotation, viewHandlers } from './view/view-service.ts';

/** Many ask at the same time, each for somebody of theirs. */
const NAMESPACES_FRESH_MS = 500;

/** What is the same whoever asks. */
export interface AnswerParts {
  readonly source: ClusterSource | undefined;
  readonly replicas: ReplicaCounts | undefined;
  readonly hits: HitCollector;
  readonly serviceCollector: ServiceCollector;
  readonly version: string;
  readonly startedMs: number;
  readonly replayReason: string | undefined;
  readonly map: MapLimits | undefined;
  readonly rotation: Rotation | undefined;
  readonly crowd: Crowd;
  readonly onMissed: (flows: number) => void;
}

/** Every service that is asked questions. */
export interface Answers {
  /** What browsers ask. */
  readonly forPages: readonly ServedService[];
  /** What tools ask, which includes what browsers do. */
  readonly forTools: readonly ServedService[];
  readonly selections: Selections;
  /** Namespaces there are or were seen of late. */
  namespaces(): readonly string[];
  close(): void;
}

/**
 * Opens all services over these flows. The one place where they are made: for everyone over the relay, and for those who
 * may see some namespaces over what they may see, so that no service can tell more than its flows and its source hold.
 */
export function openAnswers(flows: MergedFlows, parts: AnswerParts, visibility?: Visibility): Answers {
  const { replicas, hits, serviceCollector, version, replayReason, rotation, crowd, onMissed } = parts;
  const source =
    parts.source === undefined || visibility === undefined ? parts.source : visibleSource(parts.source, visibility);
  const selections = new Selections(flows, {
    replicas: ({ kind, namespace, workloadKind, name, key }) =>
      kind === 'workload' ? (replicas?.of(namespace, workloadKind, name, nodeOfKey(key)) ?? 0) : 0,
    ...parts.map,
  });
  const status = new StatusBoard(flows, version, replayReason, source);
  const pictures = source === undefined ? undefined : new PolicyPictures(source);
  const namespaces = new Namespaces(flows, source);
  const seen = new SeenNamespaces(flows.window);
  const clusterName = () => flows.nodes().find(({ cluster }) => cluster !== '')?.cluster ?? '';
  const dependencies = { relay: flows, selections, status, namespaces, rotation, crowd, onMissed };
  const forPages = [
    service(ViewService, viewHandlers(dependencies), { watch: encodedUpdate }),
    service(
      PolicyService,
      policyHandlers({
        pictures,
        hits,
        visibility,
        cluster: clusterName,
        unavailable:
          replayReason === undefined
            ? 'this backend follows agents by address and does not see the state of a cluster: start it with --state-dir or --source kubernetes'
            : 'these flows are replayed from a recording, which tells nothing of policies but what flows say of them',
      }),
    ),
    service(LoadBalancerService, serviceCollector.handlers(source, visibility)),
  ];
  const observer = observerService({
    flows: relayFlows(flows),
    namespaces: seen,
    version: `waggle ${version}`,
    startedMs: parts.startedMs,
  });
  const byTls = () => flows.followed().some(({ security }) => security !== undefined);
  const peers = source === undefined ? [] : [peerService(source, () => clusterName() || 'default', byTls)];
  let listed: string[] = [];
  let listedMs = Number.NEGATIVE_INFINITY;
  return {
    forPages,
    forTools: [service(FlowService, flowHandlers(dependencies)), ...forPages, observer, ...peers],
    selections,
    namespaces() {
      const now = performance.now();
      if (now - listedMs > NAMESPACES_FRESH_MS) {
        listed = namespaces.list().namespaces.map(({ name }) => name);
        listedMs = now;
      }
      return listed;
    },
    close() {
      seen.close();
      pictures?.stop();
      selections.close();
    },
  };
}
