import type { LabelSet } from '../identity/label-set.ts';

/** What the engine knows of a cluster: nothing in it changes while an engine lives. */
export interface PolicyCluster {
  readonly name: string;
  /** Identities of pods by number; reserved ones are known anyway. Pods that share their node's network have none. */
  readonly identities: ReadonlyMap<number, LabelSet>;
  readonly services: readonly PolicyService[];
  /** Namespaces annotated `waggle.dev/enforcement: audit`. */
  readonly auditedNamespaces: ReadonlySet<string>;
  /** The global switch: evaluate and report everywhere, enforce nowhere. */
  readonly audit: boolean;
}

export interface PolicyService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Labels of its pods; empty for a Service without a selector. */
  readonly selector: Readonly<Record<string, string>>;
  /** Addresses of its EndpointSlices, for a Service without a selector. */
  readonly addresses: readonly string[];
}
