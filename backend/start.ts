import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Cidr } from '#core/ip/cidr.ts';
import type { BackoffLimits } from '#runtime/backoff.ts';
import { FolderSource } from '#runtime/cluster/folder-source.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { registerStaleness } from '#runtime/cluster/staleness-metric.ts';
import { healthService } from '#runtime/grpc/health-service.ts';
import { startGrpcServer } from '#runtime/grpc/server.ts';
import type { ClientSecurity, ServerCredentials } from '#runtime/grpc/tls.ts';
import { Health } from '#runtime/health.ts';
import type { FlowMetricsOptions } from '#runtime/hubble/flow-metrics.ts';
import { HEALTH_NAMES } from '#runtime/hubble/observer-service.ts';
import { createLogger, type Logger } from '#runtime/log.ts';
import { type AccessOptions, openAccess } from './access/open-access.ts';
import { type AnswerParts, type Answers, openAnswers } from './answers.ts';
import { watchClusterState } from './cluster-state-health.ts';
import { HubbleFollower, type HubbleTarget } from './hubble/hubble-follower.ts';
import { EdgeMetrics } from './metrics/edge-metrics.ts';
import { OtlpEdges } from './metrics/otlp-edges.ts';
import { countRequests } from './metrics/request-metrics.ts';
import { HitCollector } from './policy/hit-collector.ts';
import { discoverPeers } from './relay/peer-discovery.ts';
import type { PeerTarget } from './relay/peer-target.ts';
import { createRelay, type Relay } from './relay/relay.ts';
import { backendMetrics, countAudiences, countReplicas } from './server/backend-metrics.ts';
import { type HttpServer, standsForMany, startHttpServer } from './server/http-server.ts';
import { ServiceCollector } from './services/service-collector.ts';
import { Crowd } from './view/crowd.ts';
import { ReplicaCounts } from './view/replica-counts.ts';
import type { MapLimits } from './view/selection.ts';
import type { Rotation } from './view/view-service.ts';

const DEFAULT_LISTEN = '127.0.0.1:12000';
const DEFAULT_RELAY_LISTEN = '127.0.0.1:4245';

const PACKAGE = new URL('../package.json', import.meta.url);
/** Where `npm run build` puts the page. */
const PAGE_FOLDER = fileURLToPath(new URL('../dist/web', import.meta.url));

export interface BackendOptions {
  /** Page, API and metrics. Default 127.0.0.1:12000; port 0 takes any free one. */
  readonly listen?: string;
  /** FlowService of every node together. Default 127.0.0.1:4245. */
  readonly relayListen?: string;
  /** State of the cluster, not started yet: its nodes' agents are followed. The backend stops it. */
  readonly source?: ClusterSource;
  /** The same from a folder. */
  readonly stateDir?: string;
  /** Agents to follow beside those. */
  readonly agents?: readonly PeerTarget[];
  /** Hubble servers or relays, not of ours, to follow beside those. */
  readonly hubble?: readonly HubbleTarget[];
  /** Edges that are counted for Prometheus, at most; 0 = none. Default 2,000. */
  readonly metricEdges?: number;
  /** By which labels requests are counted, and how many series of them there may be. */
  readonly metrics?: FlowMetricsOptions;
  /** OpenTelemetry collector that gets the edges as metrics. */
  readonly otlp?: URL;
  /** TLS of the relay's gRPC address. */
  readonly credentials?: ServerCredentials;
  /** TLS towards agents, by the node's name. */
  readonly agentSecurity?: (node: string) => ClientSecurity | undefined;
  /** Flows held. Default 262,144. */
  readonly window?: number;
  /** The longest a flow waits for older ones of other nodes. Default 40 ms. */
  readonly mergeWaitMs?: number;
  readonly map?: MapLimits;
  readonly allowedHosts?: readonly string[];
  /** Who may see what. Default: everyone who reaches the addresses sees everything. */
  readonly access?: AccessOptions;
  /** Of the relay's gRPC address: who shows a certificate that `credentials` ask for needs no token, and sees everything. */
  readonly clientsAreTrusted?: boolean;
  /** Path under which the page is served, with a slash at both ends. Default `/`, or what a trusted proxy says. */
  readonly basePath?: string;
  readonly trustedProxies?: readonly Cidr[];
  /** Who may frame the page, and tell it their theme; default its own origin. */
  readonly frameAncestors?: readonly string[];
  readonly pageFolder?: string;
  /** Flows are replayed, and why. */
  readonly replayReason?: string;
  readonly backoff?: BackoffLimits;
  readonly rotation?: Rotation;
  readonly log?: Logger;
}

export interface Backend {
  /** Of the page. */
  readonly url: string;
  /** Of the relay's gRPC server, `host:port`. */
  readonly relayAddress: string;
  readonly relay: Relay;
  close(): Promise<void>;
}

/** Starts everything a backend does. Throws ListenError when an address is taken. */
export async function startBackend(options: BackendOptions = {}): Promise<Backend> {
  const { log = createLogger('backend'), agents = [] } = options;
  const relay = createRelay(options);
  const hits = new HitCollector();
  const serviceCollector = new ServiceCollector();
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  let answers: Answers | undefined;
  const { registry, missed } = backendMetrics(relay, () => answers?.selections.size ?? 0);
  const edges = new EdgeMetrics(registry, relay, options.metricEdges);
  countRequests(registry, relay, options.metrics);
  const onMissed = (flows: number) => missed.inc(flows);
  const health = new Health();
  // In the order in which they are to be closed; then what all of them stand on.
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const step of closing.splice(0)) await step();
    hits.close();
    serviceCollector.close();
    answers?.close();
    await relay.close();
  };
  try {
    const source = options.source ?? (options.stateDir === undefined ? undefined : new FolderSource(options.stateDir));
    let replicas: ReplicaCounts | undefined;
    if (source !== undefined) {
      closing.push(() => source.stop());
      await source.start();
      closing.push(watchClusterState(source, options.stateDir, health, log));
      registerStaleness(registry, source);
      replicas = new ReplicaCounts(source);
    }
    const parts: AnswerParts = {
      source,
      replicas,
      hits,
      serviceCollector,
      version,
      startedMs: Date.now(),
      replayReason: options.replayReason,
      map: options.map,
      rotation: options.rotation,
      crowd: new Crowd(),
      onMissed,
    };
    const everything = openAnswers(relay, parts);
    answers = everything;
    const access = options.access && openAccess(options.access, { relay, parts, everything, log });
    if (access !== undefined) {
      closing.push(() => access.close());
      countAudiences(registry, () => access.gate.audiences);
    }
    // Who signed out while this replica was not there is not to get in by it.
    if (access?.replicas !== undefined) {
      countReplicas(registry, access.replicas);
      await access.replicas.start();
    }
    const { forPages, forTools } = everything;
    if (options.otlp !== undefined) {
      const exporting = new OtlpEdges(options.otlp, edges, version, log);
      closing.push(() => exporting.stop());
    }
    const grpc = await startGrpcServer({
      address: options.relayListen ?? DEFAULT_RELAY_LISTEN,
      services: [...(access?.gate.guard(forTools) ?? forTools), healthService(health, HEALTH_NAMES)],
      authenticate: access?.authenticate(options.clientsAreTrusted ?? false),
      credentials: options.credentials,
      connections: { isExempt: standsForMany(options.trustedProxies) },
      setting: '--grpc-listen or WAGGLE_GRPC_LISTEN',
      log,
    });
    closing.unshift(() => grpc.stop());
    const http: HttpServer = await startHttpServer({
      address: options.listen ?? DEFAULT_LISTEN,
      services: access?.gate.guard(forPages) ?? forPages,
      access,
      basePath: options.basePath,
      trustedProxies: options.trustedProxies,
      health,
      registry,
      pageFolder: options.pageFolder ?? PAGE_FOLDER,
      allowedHosts: options.allowedHosts ?? [],
      frameAncestors: options.frameAncestors ?? ["'self'"],
      log,
    });
    closing.unshift(() => http.close());
    const follow = (found: readonly PeerTarget[]) => {
      const targets = found.map((target) => ({ ...target, security: options.agentSecurity?.(target.name) }));
      relay.follow(targets);
      hits.follow(targets);
      serviceCollector.follow(targets);
    };
    for (const target of options.hubble ?? []) {
      relay.addSource((into, onState) => new HubbleFollower(target, into, onState, options.backoff));
    }
    if (source === undefined) {
      follow(agents);
    } else {
      closing.unshift(discoverPeers(source, (found) => follow([...found, ...agents])));
    }
    return { url: http.url, relayAddress: grpc.address, relay, close };
  } catch (error) {
    await close();
    throw error;
  }
}
