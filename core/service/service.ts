/** What of a Kubernetes Service and its EndpointSlices load-balancing goes by. Names and nesting are the API's own. */
export interface ServiceObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly type: string;
    /** `None` for a headless one; empty where there is none. */
    readonly clusterIPs: readonly string[];
    readonly ports: readonly {
      readonly name: string;
      readonly protocol: string;
      readonly port: number;
      readonly nodePort: number;
    }[];
    readonly externalIPs: readonly string[];
    /** `ClientIP` or `None`. */
    readonly sessionAffinity: string;
    /** Of `ClientIP`, in seconds. */
    readonly affinitySeconds: number;
    /** `Cluster` or `Local`. */
    readonly internalTrafficPolicy: string;
    readonly externalTrafficPolicy: string;
    readonly publishNotReadyAddresses: boolean;
    /** Who may use its load-balancer addresses; empty or absent = everybody. */
    readonly loadBalancerSourceRanges?: readonly string[];
  };
  /** Addresses a load-balancer outside gave it. */
  readonly loadBalancerIPs: readonly string[];
}

export interface SliceObject {
  readonly addressType: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly ready: boolean;
    readonly serving: boolean;
    readonly terminating: boolean;
    readonly nodeName: string;
    readonly pod: string;
    /** Zones its hints name; empty = it has none. */
    readonly zones: readonly string[];
  }[];
}

export type FrontendKind = 'cluster-ip' | 'node-port' | 'external-ip' | 'load-balancer';

/** One address and port of a Service, with where connections to it go as seen from one node. */
export interface Frontend {
  readonly namespace: string;
  readonly service: string;
  /** Name of the Service's port; empty when it has none. */
  readonly portName: string;
  readonly kind: FrontendKind;
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
  /** IANA number: 6 TCP, 17 UDP. */
  readonly protocol: number;
  /** A client stays with its backend until it was silent for so long; 0 = it does not. */
  readonly affinitySeconds: number;
  readonly algorithm: Algorithm;
  /** In a stable order; those that only keep who is with them come last. */
  readonly backends: readonly Backend[];
  /** What clients outside the cluster find under it at this node; absent where they find nothing. */
  readonly external?: ExternalFrontend;
}

export interface ExternalFrontend {
  /** As of the frontend; where traffic is to stay local, only those of the node. */
  readonly backends: readonly Backend[];
  /** `externalTrafficPolicy: Local`: no other node is asked, and clients keep their addresses. */
  readonly local: boolean;
  /** Ranges (`10.0.0.0/8`) of clients that are let in, of the frontend's family; undefined = everybody. */
  readonly sourceRanges?: readonly string[];
}

export interface Backend {
  readonly address: string;
  readonly port: number;
  readonly node: string;
  /** Name of the pod, in the Service's namespace; empty where it is none. */
  readonly pod: string;
  /** Relative to the others; 0 = nobody new. */
  readonly weight: number;
  /** It is on its way out: keeps who is with it, gets nobody new. */
  readonly terminating: boolean;
}

/** `maglev`: a client gets the same backend as long as that lives, and few clients move when backends change. */
export type Algorithm = 'random' | 'maglev';

/** Of a Service: `random` (default) or `maglev`. */
export const ALGORITHM_ANNOTATION = 'service.waggle.dev/algorithm';
/** Of a pod: its share relative to the other backends, 0 to 100; default 1. */
export const WEIGHT_ANNOTATION = 'service.waggle.dev/weight';

const NUMBERS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17 };

/** The protocols that are balanced; undefined for others. */
export function serviceProtocol(name: string): number | undefined {
  return NUMBERS[name];
}

export function serviceProtocolName(number: number): string {
  return Object.keys(NUMBERS).find((name) => NUMBERS[name] === number) ?? String(number);
}

/** Equal keys = the same frontend. */
export function frontendKey({ address, port, protocol }: Pick<Frontend, 'address' | 'port' | 'protocol'>): string {
  return `${protocol}/${address}/${port}`;
}

/** `10.96.0.10:53/UDP`, `[fd00::a]:53/UDP` */
export function frontendText({ address, port, protocol }: Pick<Frontend, 'address' | 'port' | 'protocol'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}/${serviceProtocolName(protocol)}`;
}
