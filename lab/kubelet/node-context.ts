import type { LabLayout } from '../lab-layout.ts';
import type { DualAddress } from '../network/subnets.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { CgroupDriver } from './cgroup-path.ts';
import type { EndpointGate } from './endpoint-gate.ts';
import type { PodNetwork } from './pod-network.ts';
import type { ProgramHost } from './program-host.ts';
import type { ResolvConf } from './resolv-conf.ts';

/** What the kubelet of one node works with. */
export interface NodeContext {
  layout: LabLayout;
  name: string;
  netns: string;
  address: DualAddress;
  /** The node's cgroup directory; everything that runs on the node is below it. */
  cgroup: string;
  cgroupDriver: CgroupDriver;
  store: ObjectStore;
  network: PodNetwork;
  programs: ProgramHost;
  gate: EndpointGate;
  resolvConf: ResolvConf;
  /** Variables every container has. */
  containerEnv: Record<string, string>;
}
