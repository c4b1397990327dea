import type { OwnerReference } from '#core/workload/owner.ts';

/**
 * Kubernetes objects, reduced to the fields that are read somewhere. Names and nesting are the API's own. Lists and label
 * maps are never undefined: `read-object.ts` fills in what an object leaves out, and refuses what has the wrong type.
 */
export interface Metadata {
  readonly name: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  /** RFC 3339; set while the object is being deleted. */
  readonly deletionTimestamp?: string;
}

export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
  readonly protocol: string;
}

export interface Container {
  readonly name: string;
  readonly ports: readonly ContainerPort[];
}

export interface ContainerStatus {
  readonly name: string;
  /** `runtime://id`; empty before the container ran. */
  readonly containerID: string;
  readonly ready: boolean;
  readonly restartCount: number;
}

export interface Pod {
  readonly kind: 'Pod';
  readonly metadata: Metadata;
  readonly spec: {
    /** Empty until the pod is scheduled. */
    readonly nodeName: string;
    readonly hostNetwork: boolean;
    readonly serviceAccountName: string;
    readonly containers: readonly Container[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIPs: readonly { readonly ip: string }[];
    readonly containerStatuses: readonly ContainerStatus[];
  };
}

export interface Namespace {
  readonly kind: 'Namespace';
  readonly metadata: Metadata;
}

export interface Node {
  readonly kind: 'Node';
  readonly metadata: Metadata;
  readonly spec: { readonly podCIDRs: readonly string[] };
  readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
}

export interface ServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  /** A number, or the name of a container port. */
  readonly targetPort: number | string;
  readonly nodePort: number;
}

export interface Service {
  readonly kind: 'Service';
  readonly metadata: Metadata;
  readonly spec: {
    readonly type: string;
    readonly clusterIPs: readonly string[];
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly ServicePort[];
    readonly externalIPs: readonly string[];
    /** `ClientIP` or `None`. */
    readonly sessionAffinity: string;
    /** Of `ClientIP`, in seconds. */
    readonly affinitySeconds: number;
    /** `Cluster` or `Local`. */
    readonly internalTrafficPolicy: string;
    readonly externalTrafficPolicy: string;
    readonly publishNotReadyAddresses: boolean;
    /** Who may use its load-balancer addresses; empty = everybody. */
    readonly loadBalancerSourceRanges: readonly string[];
    /** Where a node says how many backends it has, of `externalTrafficPolicy: Local`; 0 = nowhere. */
    readonly healthCheckNodePort: number;
    /** Of type ExternalName; else empty. */
    readonly externalName: string;
  };
  /** `status.loadBalancer.ingress[].ip` */
  readonly loadBalancerIPs: readonly string[];
}

/** A range that Services' addresses are taken from. */
export interface ServiceCIDR {
  readonly kind: 'ServiceCIDR';
  readonly metadata: Metadata;
  readonly spec: { readonly cidrs: readonly string[] };
}

export interface EndpointSlice {
  readonly kind: 'EndpointSlice';
  readonly metadata: Metadata;
  readonly addressType: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly ready: boolean;
    readonly serving: boolean;
    readonly terminating: boolean;
    /** `hints.forZones[].name`; empty = it has none. */
    readonly zones: readonly string[];
    /** Its own name below the Service's, or empty. */
    readonly hostname: string;
    readonly nodeName: string;
    readonly pod: string;
  }[];
}

/** Only for its owner: the Deployment. */
export interface ReplicaSet {
  readonly kind: 'ReplicaSet';
  readonly metadata: Metadata;
}

/** Only for its owner: the CronJob. */
export interface Job {
  readonly kind: 'Job';
  readonly metadata: Metadata;
}

/** A policy as it was written: `core/policy` reads it, and says what is wrong with it. */
export interface PolicyObject<K extends PolicyObjectKind = PolicyObjectKind> {
  readonly kind: K;
  readonly metadata: Metadata;
  /** The whole document, parsed. */
  readonly manifest: unknown;
}

export type PolicyObjectKind = 'NetworkPolicy' | 'CiliumNetworkPolicy' | 'CiliumClusterwideNetworkPolicy';

export const POLICY_OBJECT_KINDS: readonly PolicyObjectKind[] = [
  'NetworkPolicy',
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
];

export interface ClusterObjects {
  Pod: Pod;
  Namespace: Namespace;
  Node: Node;
  Service: Service;
  ServiceCIDR: ServiceCIDR;
  EndpointSlice: EndpointSlice;
  ReplicaSet: ReplicaSet;
  Job: Job;
  NetworkPolicy: PolicyObject<'NetworkPolicy'>;
  CiliumNetworkPolicy: PolicyObject<'CiliumNetworkPolicy'>;
  CiliumClusterwideNetworkPolicy: PolicyObject<'CiliumClusterwideNetworkPolicy'>;
}

export type Kind = keyof ClusterObjects;
export type ClusterObject = ClusterObjects[Kind];

export const KINDS: readonly Kind[] = [
  'Namespace',
  'Node',
  ...POLICY_OBJECT_KINDS,
  'ReplicaSet',
  'Job',
  'Pod',
  'ServiceCIDR',
  'Service',
  'EndpointSlice',
];

const CLUSTER_SCOPED: readonly Kind[] = ['Namespace', 'Node', 'ServiceCIDR', 'CiliumClusterwideNetworkPolicy'];

/** Whether its objects are in no namespace. */
export function isClusterScoped(kind: Kind): boolean {
  return CLUSTER_SCOPED.includes(kind);
}
