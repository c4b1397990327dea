import { randomBytes } from 'node:crypto';
import { KnownNames } from '#core/dns/known-names.ts';
import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { CniService } from '#proto/gen/waggle/v1/cni_pb.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { healthService } from '#runtime/grpc/health-service.ts';
import { type GrpcServer, startGrpcServer } from '#runtime/grpc/server.ts';
import { type ServedService, service } from '#runtime/grpc/service.ts';
import { Health } from '#runtime/health.ts';
import { FlowExporter } from '#runtime/hubble/flow-exporter.ts';
import { HEALTH_NAMES, observerService } from '#runtime/hubble/observer-service.ts';
import { peerService } from '#runtime/hubble/peer-service.ts';
import { SeenNamespaces } from '#runtime/hubble/seen-namespaces.ts';
import { AgentCondition } from './agent-condition.ts';
import type { AgentOptions } from './agent-options.ts';
import { PodPreparation } from './cni/cni-service.ts';
import { KeptEntry } from './cni/kept-entry.ts';
import { DnsDrain } from './dns/dns-drain.ts';
import { NamedNumbers } from './dns/named-numbers.ts';
import { EndpointService } from './endpoint-service.ts';
import { AddressBook } from './events/address-book.ts';
import { EndpointTable } from './events/endpoint-table.ts';
import { KernelClock } from './events/kernel-clock.ts';
import { RecordDrain } from './events/record-drain.ts';
import { RecordToRow } from './events/record-to-row.ts';
import type { Datapath } from './loader/datapath.ts';
import type { MetricsEndpoint, MetricsParts } from './metrics-endpoint.ts';
import { AgentEvents } from './observer/agent-events.ts';
import { BootMemory } from './observer/boot-memory.ts';
import { DatapathUpkeep } from './observer/datapath-upkeep.ts';
import { FlowLog } from './observer/flow-log.ts';
import { NodeFlowService } from './observer/flow-service.ts';
import { GonePods } from './observer/gone-pods.ts';
import { NodeEvents } from './observer/node-events.ts';
import { nodeFlows } from './observer/node-flows.ts';
import { PodFinder } from './pods/pod-finder.ts';
import { DecisionTable } from './policy/decision-table.ts';
import { ReasonLog } from './policy/reason-log.ts';
import { RuleHitLog } from './policy/rule-hits.ts';
import { NodeServices } from './services/node-services.ts';
import { ServiceNumbers } from './services/service-numbers.ts';
import { NodeSync } from './sync/node-sync.ts';
import { countObserved } from './sync/observed-pods.ts';
import { SyncLoop } from './sync/sync-loop.ts';

const SWEEP_MS = 2_000;
const SECOND_MS = 1_000;
/** The metrics of a pod stay this long after it is gone, to be scraped once more. */
const GONE_POD_MS = 60_000;
/** A stopping agent gives its readers this long to be sent what it has read. */
const FAREWELL_MS = 40;

/** The agent of the node whose network namespace this process is in, over an open datapath, which it closes. */
export class Agent {
  readonly flows: FlowLog;
  readonly health = new Health('gRPC', 'pods', 'policy');
  readonly #options: AgentOptions;
  readonly #datapath: Datapath;
  readonly #sync: NodeSync;
  readonly #loop: SyncLoop;
  readonly #book: AddressBook;
  readonly #clock = new KernelClock();
  /** What pods call addresses outside the cluster. */
  readonly #names = new KnownNames();
  readonly #dns: DnsDrain;
  readonly #decisions: DecisionTable;
  readonly #hits: RuleHitLog;
  readonly #drain: RecordDrain;
  readonly #upkeep: DatapathUpkeep;
  readonly #condition: AgentCondition;
  readonly #keptEntry: KeptEntry | undefined;
  readonly #memory: BootMemory;
  readonly #service: NodeFlowService;
  readonly #services: NodeServices | undefined;
  readonly #serviceNumbers: ServiceNumbers;
  readonly #startedMs = Date.now();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #servers: (GrpcServer | MetricsEndpoint)[] = [];
  readonly #namespaces: SeenNamespaces;
  readonly #events: AgentEvents;
  readonly #nodeEvents: NodeEvents;
  readonly #exporters: FlowExporter[];
  #metrics: MetricsEndpoint | undefined;
  /** Pods whose series are to go. */
  readonly #gonePods = new GonePods(GONE_POD_MS);
  #address = '';
  #stopping: Promise<void> | undefined;

  constructor(options: AgentOptions, datapath: Datapath) {
    this.#options = options;
    this.#datapath = datapath;
    const { cluster, node, source, run } = options;
    const boot = { cluster, node, bootId: newBootId() };
    this.#memory = new BootMemory(run, datapath.maps.agent);
    this.flows = new FlowLog(boot, options.flows, this.#memory.earlier);
    this.#namespaces = new SeenNamespaces(this.flows.window);
    this.#events = new AgentEvents(`${cluster}/${node}`);
    this.#events.started(this.#startedMs);
    const { cgroupRoot, procRoot } = options;
    if (options.services !== false) {
      this.#services = new NodeServices({ source, datapath, node, cgroup: cgroupRoot, procRoot });
    }
    this.#book = new AddressBook(cluster, this.#services?.sync);
    const finder = new PodFinder(options.cgroupRoot, options.procRoot);
    const reasons = new ReasonLog(run);
    const { policyAudit = false, podCidrs = [] } = options;
    const known = { source, datapath, finder, book: this.#book, cluster, node, reasons, run };
    this.#sync = new NodeSync({ ...known, policyAudit, podCidrs });
    this.#nodeEvents = new NodeEvents({
      events: this.#events,
      source,
      book: this.#book,
      sync: this.#sync,
      services: this.#services?.sync,
      onOwners: () => this.#gonePods.update(this.#book.owners.values()),
    });
    if (options.cniConfDir !== undefined) {
      const onRestored = (list: string) => options.log.warn({ list }, `${list} no longer named waggle-cni: put back`);
      this.#keptEntry = new KeptEntry({ confDir: options.cniConfDir, agentSocket: run.socket, onRestored });
    }
    this.#condition = new AgentCondition({
      health: this.health,
      source,
      sync: this.#sync,
      services: this.#services,
      run,
      cni: this.#keptEntry,
    });
    this.#memory.save(this.flows);
    this.#upkeep = new DatapathUpkeep(datapath, run, this.flows);

    // Names before records: what waited in the ring is told with the names known now.
    // A state that could not be read yet says nothing: what an earlier agent left goes on.
    const synchronise = () => source.unread !== true && this.#sync.run();
    synchronise();
    this.#afterSync('');
    this.#loop = new SyncLoop({
      source,
      run: synchronise,
      onRun: (problem) => this.#afterSync(problem),
    });
    const table = new EndpointTable(this.flows.window.endpoints, this.#book);
    this.#decisions = new DecisionTable(this.flows.window.decisions, (id) => reasons.reason(id));
    this.#hits = new RuleHitLog(run, { hits: () => this.#decisions.hits(), reasonOf: (id) => reasons.reason(id) });
    this.#serviceNumbers = new ServiceNumbers(this.flows.window.endpoints, (id) => this.#services?.sync.frontend(id));
    this.#dns = new DnsDrain(datapath.dnsRing, this.#book, this.#names);
    const named = new NamedNumbers(this.flows.window.endpoints, this.#names);
    this.#drain = new RecordDrain({
      ring: datapath.ring,
      rows: new RecordToRow(
        this.flows.window,
        this.flows.node,
        table,
        this.#clock,
        this.#decisions,
        this.#serviceNumbers,
        named,
      ),
      table,
      book: this.#book,
      clock: this.#clock,
      onLook: () => {
        const nowMs = performance.now();
        this.#dns.look(nowMs);
        named.at(nowMs);
      },
      onProgress: (appended) => {
        this.#memory.save(this.flows);
        const { end } = this.flows.window;
        this.#metrics?.count(end - appended, end);
        this.flows.appended(appended);
      },
    });
    this.#service = new NodeFlowService(this.flows, {
      version: options.version,
      startedMs: this.#startedMs,
      address: () => this.#address,
      endpoints: () => this.#observedPods(),
      problem: () => this.#condition.problem,
    });
    this.#exporters = (options.exports ?? []).map(
      ({ sink, selection }) => new FlowExporter(nodeFlows(this.flows), sink, selection, options.log),
    );
    this.#drain.start();
    this.#timers.push(setInterval(() => this.#everySecond(), SECOND_MS));
    this.#timers.push(setInterval(() => this.#sweep(), SWEEP_MS));
  }

  /** Where gRPC is served, with the port that was really taken. */
  get address(): string {
    return this.#address;
  }

  /** Where metrics and health are served; empty when nowhere. */
  get metricsAddress(): string {
    return this.#metrics?.address ?? '';
  }

  async listen(): Promise<void> {
    const { run, listen, metricsListen, log } = this.#options;
    const services = this.#api();
    const tcp = await startGrpcServer({ address: listen, services, credentials: this.#options.credentials, log });
    this.#servers.push(tcp);
    this.#address = tcp.address;
    this.#servers.push(
      await startGrpcServer({
        address: `unix:${run.socket}`,
        services: [...services, service(CniService, new PodPreparation(this.#sync, this.#loop))],
        log,
        setting: '--run-dir or WAGGLE_RUN_DIR',
      }),
    );
    this.health.met('gRPC');
    if (metricsListen === undefined) return;
    // Only now: an agent that is started again serves flows earlier by what the library takes to load.
    const { MetricsEndpoint } = await import('./metrics-endpoint.ts');
    this.#metrics = new MetricsEndpoint({
      address: metricsListen,
      options: this.#options.metrics,
      health: this.health,
      source: this.#options.source,
      startedMs: this.#startedMs,
      flows: this.flows,
      datapath: this.#datapath,
      figures: this.#figures(),
      entries: () => ({
        connections: this.#upkeep.connections,
        policies: this.#sync.policy.entries,
        services: [...(this.#services?.sync.placed() ?? [])].length,
        external_connections: this.#upkeep.externalConnections,
      }),
    });
    this.#metrics.count(this.flows.window.start, this.flows.window.end);
    this.#dns.onAnswer = (answer, client, server) => this.#metrics?.countAnswer(answer, client, server);
    this.#servers.push(this.#metrics);
    await this.#metrics.start();
  }

  /** What metrics tell, asked when they are read. */
  #figures(): MetricsParts['figures'] {
    return {
      endpoints: () => this.#observedPods(),
      unattached: () => this.#sync.pods.size - this.#observedPods(),
      followers: () => this.#service.followers,
      exported: () => this.#exporters.reduce((sum, { exported }) => sum + exported, 0),
      exportLost: () => this.#exporters.reduce((sum, { lost }) => sum + lost, 0),
      connections: () => this.#upkeep.connections,
      drainSeconds: () => this.#drain.workedMs / 1_000,
      losses: () => this.#service.losses,
      dnsAnswers: () => ({
        read: this.#dns.read,
        unreadable: this.#dns.unreadable,
        lost: this.#datapath.maps.dnsSampleCounts().lost,
      }),
      dnsNames: () => ({ held: this.#names.size, evicted: this.#names.evicted }),
      evictions: () => this.#upkeep.evictions,
    };
  }

  /** What is served to whoever may connect: Hubble's API, and Waggle's. */
  #api(): ServedService[] {
    const { version, source, cluster, credentials, policyAudit = false } = this.#options;
    const services = [
      observerService({
        flows: nodeFlows(this.flows),
        namespaces: this.#namespaces,
        version: `waggle ${version}`,
        startedMs: this.#startedMs,
        agentEvents: (request, context) => this.#events.read(request, context),
      }),
      peerService(
        source,
        () => cluster,
        () => credentials !== undefined,
      ),
      healthService(this.health, HEALTH_NAMES),
      service(FlowService, this.#service),
      service(AgentService, new EndpointService(this.#sync, this.#loop, this.#hits, policyAudit)),
    ];
    const balancer = this.#services?.handlers(this.#serviceNumbers);
    return balancer === undefined ? services : [...services, service(LoadBalancerService, balancer)];
  }

  /** Stops serving. Programs stay on their hooks and go on observing into the ring, for the next agent. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#namespaces.close();
    this.#loop.stop();
    this.#services?.stop();
    this.#keptEntry?.stop();
    this.#drain.stop();
    await Promise.all(this.#exporters.map((exporter) => exporter.stop()));
    if (this.#service.followers > 0) await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    await Promise.all(this.#servers.map((server) => server.stop()));
    await this.#options.source.stop();
    this.#hits.save();
    this.#memory.save(this.flows, Date.now());
    this.#datapath.close();
  }

  #everySecond(): void {
    this.#clock.measure();
    const gone = this.#gonePods.due();
    if (gone.size > 0) this.#metrics?.forget(gone);
    this.#book.expire();
    this.#names.expire(performance.now());
    this.#services?.settle();
    this.#nodeEvents.servicesChanged();
    this.#memory.save(this.flows);
  }

  #sweep(): void {
    this.#options.run.settle();
    this.#hits.save();
    this.#upkeep.sweep();
  }

  #afterSync(problem: string): void {
    this.#nodeEvents.podsChanged();
    this.#condition.synchronised(problem);
    this.#services?.followPods(this.#sync.pods.values());
  }

  #observedPods(): number {
    return countObserved(this.#sync.pods.values());
  }
}

function newBootId(): bigint {
  return randomBytes(8).readBigUInt64LE() | 1n;
}
