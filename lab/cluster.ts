import { mkdirSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AgentProcess } from './agent-process.ts';
import { ControlLoop } from './controllers/control-loop.ts';
import { daemonSetController } from './controllers/daemon-set.ts';
import { deploymentController, replicaSetController } from './controllers/deployment.ts';
import { endpointSliceController } from './controllers/endpoint-slice.ts';
import { garbageCollector } from './controllers/garbage.ts';
import { jobController } from './controllers/job.ts';
import { scheduler } from './controllers/scheduler.ts';
import { ensureCgroup2, labCgroup } from './kubelet/cgroup.ts';
import type { CgroupDriver } from './kubelet/cgroup-path.ts';
import { agentGate, openGate } from './kubelet/endpoint-gate.ts';
import { Kubelet } from './kubelet/kubelet.ts';
import { PodNetwork } from './kubelet/pod-network.ts';
import { ProgramHost } from './kubelet/program-host.ts';
import { DNS_NAMESPACE, ResolvConf } from './kubelet/resolv-conf.ts';
import { LabApiServer, labKubeconfig } from './kubernetes/lab-api-server.ts';
import { agentSocket, type LabLayout, nodeName, nodeNetns, nodeRunDir } from './lab-layout.ts';
import { LogTrim } from './log-trim.ts';
import { readManifests } from './manifest/read-manifests.ts';
import { readSources } from './manifest/read-sources.ts';
import { createFabric } from './network/fabric.ts';
import { reserveSubnets } from './network/free-subnets.ts';
import {
  hostAddress,
  type LabSubnets,
  nodeAddress,
  podCidrs,
  serviceCidrs,
  unownedServiceAddress,
} from './network/subnets.ts';
import { noteNetnsMount } from './network/sweep.ts';
import { applyManifest } from './store/apply.ts';
import { newMetadata, ObjectStore, timestamp } from './store/object-store.ts';
import { isPodReady, type KubeObject, type Namespace, type Node, type Pod } from './store/objects.ts';
import { ServiceAddresses } from './store/service-addresses.ts';
import { StateFolder } from './store/state-folder.ts';

export interface ClusterOptions {
  nodes: number;
  agents: boolean;
  cgroupDriver: CgroupDriver;
  /** Where agents read the cluster's state: the lab's folder, or a real API server that is told what the lab's store holds. */
  source: 'folder' | 'kubernetes';
}

/** Port agents listen on, at their node's fabric address. */
export const AGENT_PORT = 4244;
const ADDONS = fileURLToPath(new URL('./addons', import.meta.url));
const AGENT_DEADLINE_MS = 60_000;
const DNS_DEADLINE_MS = 30_000;

export interface ClusterNode {
  name: string;
  address: { v4: string; v6: string };
  netns: string;
  cgroup: string;
  kubelet: Kubelet;
  agent: AgentProcess | undefined;
}

/** A running lab as its supervisor holds it: store, controllers, nodes with their kubelets and agents. */
export class Cluster {
  readonly layout: LabLayout;
  readonly options: ClusterOptions;
  readonly store = new ObjectStore();
  readonly state: StateFolder;
  nodes: ClusterNode[] = [];
  serviceAddresses!: ServiceAddresses;
  subnets!: LabSubnets;
  cgroup = '';
  readonly #resolvConf: ResolvConf;
  readonly #programs: ProgramHost[] = [];
  readonly #loop: ControlLoop;
  #apiServer: LabApiServer | undefined;
  readonly #logTrim: LogTrim;

  /** The lab's folder must exist. */
  constructor(layout: LabLayout, options: ClusterOptions) {
    this.layout = layout;
    this.options = options;
    mkdirSync(layout.logsDir, { recursive: true });
    this.state = new StateFolder(layout.stateDir, this.store);
    this.#resolvConf = new ResolvConf(layout.resolvDir, this.store);
    this.#loop = new ControlLoop(this.store, [
      garbageCollector,
      deploymentController,
      replicaSetController,
      daemonSetController,
      jobController,
      scheduler,
      endpointSliceController,
    ]);
    this.#logTrim = new LogTrim(layout.dir);
  }

  /** Brings the nodes up; resolves when they, their agents and the cluster's DNS serve. */
  async start(progress: (message: string) => void): Promise<void> {
    const { nodes, agents } = this.options;
    noteNetnsMount();
    this.subnets = await reserveSubnets(this.layout.name);
    this.serviceAddresses = new ServiceAddresses(
      this.subnets,
      this.store,
      this.options.source === 'kubernetes' ? 1 : 0,
    );
    this.cgroup = labCgroup(await ensureCgroup2(), this.layout.name);
    progress(`network: ${nodes} nodes on ${this.subnets.v4}.0.0/16 and ${this.subnets.v6}::/48`);
    await createFabric(this.layout, this.subnets, nodes);
    for (const name of ['default', DNS_NAMESPACE]) this.store.put(newNamespace(name));
    // Only agents balance Services: without them nobody is at those addresses, and names stand for pods.
    if (agents) this.store.put(newServiceCidr(this.subnets));
    for (let index = 0; index < nodes; index++) this.nodes.push(this.#addNode(index));
    this.state.flush();
    if (this.options.source === 'kubernetes') {
      progress('API server: starting');
      const { v4, v6 } = serviceCidrs(this.subnets);
      this.#apiServer = await LabApiServer.start(this.layout, this.store, {
        address: this.hostAddress.v4,
        serviceCidrs: [v4, v6],
        cgroup: join(this.cgroup, 'api-server'),
      });
    }
    if (agents) {
      progress(`agents: starting ${nodes}`);
      for (const node of this.nodes) node.agent?.start();
      await Promise.all(this.nodes.map((node) => node.agent?.ready(AGENT_DEADLINE_MS)));
    }
    progress('cluster DNS: starting');
    const { manifests, problems } = readManifests(readSources([ADDONS]));
    if (problems[0]) throw new Error(`${problems[0].file}:${problems[0].line}: ${problems[0].message}`);
    for (const manifest of manifests) applyManifest(this.store, this.serviceAddresses, manifest, DNS_NAMESPACE);
    await this.#dnsReady();
    this.state.flush();
  }

  /** Stops acting on changes. What runs keeps running; removing it is the sweep's work. */
  stop(): void {
    this.#loop.stop();
    this.#logTrim.stop();
    void this.#apiServer?.stop();
    for (const { kubelet, agent } of this.nodes) {
      kubelet.stop();
      agent?.letGo();
    }
    for (const host of this.#programs) host.close();
  }

  get hostAddress(): { v4: string; v6: string } {
    return hostAddress(this.subnets);
  }

  #addNode(index: number): ClusterNode {
    const name = nodeName(index);
    const netns = nodeNetns(this.layout, name);
    const address = nodeAddress(this.subnets, index);
    const runDir = nodeRunDir(this.layout, name);
    const cgroup = join(this.cgroup, name);
    mkdirSync(runDir, { recursive: true });
    mkdirSync(cgroup, { recursive: true });
    const programs = new ProgramHost(netns, cgroup, join(runDir, 'programs.log'));
    programs.warm();
    this.#programs.push(programs);
    const kubelet = new Kubelet({
      layout: this.layout,
      name,
      netns,
      address,
      cgroup,
      cgroupDriver: this.options.cgroupDriver,
      store: this.store,
      network: new PodNetwork(this.layout, this.subnets, { name, index, netns }),
      programs,
      gate: this.options.agents ? agentGate(name, agentSocket(this.layout, name)) : openGate,
      resolvConf: this.#resolvConf,
      // For clients that are to keep an address nobody has any more.
      containerEnv: { LAB_UNOWNED_SERVICE_ADDRESS: unownedServiceAddress(this.subnets).v4 },
    });
    this.store.put(newNode(name, index, this.subnets));
    const agent = this.options.agents
      ? new AgentProcess({
          layout: this.layout,
          node: name,
          netns,
          nodeCgroup: cgroup,
          listen: `${address.v4}:${AGENT_PORT}`,
          kubeconfig: this.options.source === 'kubernetes' ? labKubeconfig(this.layout) : undefined,
        })
      : undefined;
    return { name, address, netns, cgroup, kubelet, agent };
  }

  async #dnsReady(): Promise<void> {
    const deadline = Date.now() + DNS_DEADLINE_MS;
    for (;;) {
      const pods = this.store.list<Pod>('Pod', DNS_NAMESPACE);
      if (pods.some(isPodReady)) return;
      if (Date.now() > deadline) {
        const waiting = pods.flatMap(({ status }) => status.containerStatuses ?? []).map(({ state }) => state.waiting);
        throw new Error(`cluster DNS does not start: ${waiting[0]?.message ?? waiting[0]?.reason ?? 'no pod'}`);
      }
      await sleep(10);
    }
  }
}

function newNamespace(name: string): Namespace {
  const metadata = newMetadata({ name, labels: { 'kubernetes.io/metadata.name': name } });
  return { apiVersion: 'v1', kind: 'Namespace', metadata, status: { phase: 'Active' } };
}

function newServiceCidr(subnets: LabSubnets): KubeObject {
  const { v4, v6 } = serviceCidrs(subnets);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: newMetadata({ name: 'kubernetes' }),
    spec: { cidrs: [v4, v6] },
  };
}

function newNode(name: string, index: number, subnets: LabSubnets): Node {
  const { v4, v6 } = nodeAddress(subnets, index);
  const cidrs = podCidrs(subnets, index);
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: newMetadata({
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
      },
    }),
    spec: { podCIDR: cidrs.v4, podCIDRs: [cidrs.v4, cidrs.v6] },
    status: {
      addresses: [
        { type: 'InternalIP', address: v4 },
        { type: 'InternalIP', address: v6 },
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: timestamp() }],
      nodeInfo: { architecture, operatingSystem: 'linux', kubeletVersion: 'waggle-lab' },
    },
  };
}
