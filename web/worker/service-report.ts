/** What the server knows of Services: plain data. */
export interface ServiceReport {
  /** By namespace and name. */
  readonly services: readonly ServiceFacts[];
  /** Nodes that did not answer, with why. */
  readonly silentNodes: readonly string[];
  readonly problems: readonly string[];
  /** Nodes with rules of kube-proxy. */
  readonly kubeProxy: readonly { readonly node: string; readonly kind: string; readonly rules: number }[];
  /** Sockets connected before there was an agent, one sentence each, not all of very many; and how many there are. */
  readonly untranslated: readonly string[];
  readonly untranslatedTotal: number;
  /** Why nothing is known; empty when it is. */
  readonly unavailable: string;
  /** When it was asked for, on the clock of performance.now(). */
  readonly atMs: number;
}

export interface ServiceFacts {
  /** `namespace/name`: names it in URLs. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly clusterIps: readonly string[];
  /** Empty unless it is another name for something. */
  readonly externalName: string;
  readonly frontends: readonly FrontendFacts[];
}

export interface FrontendFacts {
  /** `10.96.0.10:53/UDP` */
  readonly text: string;
  readonly kind: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly portName: string;
  readonly affinitySeconds: number;
  readonly algorithm: string;
  readonly backends: readonly BackendFacts[];
}

export interface BackendFacts {
  /** `10.0.0.7:8080` */
  readonly text: string;
  readonly node: string;
  readonly pod: string;
  readonly weight: number;
  readonly terminating: boolean;
  /** Sockets that are with it now. */
  readonly connections: number;
  /** Connections opened to it since the agents started. */
  readonly opened: number;
}

export interface TraceReport {
  readonly node: string;
  readonly outcome: 'balanced' | 'refused' | 'unroutable' | 'passed';
  readonly steps: readonly string[];
  readonly candidates: readonly { readonly text: string; readonly place: string; readonly share: number }[];
}
