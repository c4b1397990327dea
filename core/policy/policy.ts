import type { Cidr } from '../ip/cidr.ts';
import type { Place } from '../manifest/document.ts';
import type { PolicyReference, RuleReference } from './reference.ts';
import type { Selector } from './selector.ts';

/**
 * One model for Kubernetes NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy. What differs between the
 * kinds (defaults, scoping to a namespace, what a missing list means) is settled while reading; see docs/policy.md.
 */
export interface Policy {
  readonly reference: PolicyReference;
  /** True when it is annotated to be evaluated and reported, not enforced. */
  readonly audit: boolean;
  /** Where it stands; undefined when it came without a text. */
  readonly place: Place | undefined;
  /** One; several where a Cilium policy has a list of `specs`. */
  readonly sections: readonly PolicySection[];
}

export interface PolicySection {
  readonly policy: Policy;
  /** Which pods it is about. */
  readonly subject: Selector;
  readonly ingress: DirectionRules;
  readonly egress: DirectionRules;
}

export interface DirectionRules {
  /** True where selected pods are closed in this direction to all that no rule allows. */
  readonly defaultDeny: boolean;
  /** In the order they stand; allow rules, then deny rules. Any of them may stand without `defaultDeny`. */
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly reference: RuleReference;
  /** A deny rule wins over every allow rule. */
  readonly deny: boolean;
  /** The peers it is about; undefined = everybody, inside the cluster and out. An empty list is nobody. */
  readonly peers: readonly PeerMatch[] | undefined;
  /** The ports it is about; undefined = every protocol and port. An empty list is none. */
  readonly ports: readonly PortMatch[] | undefined;
  /** Where it stands, as for its policy. */
  readonly place: Place | undefined;
}

export type PeerMatch =
  | { readonly kind: 'labels'; readonly selector: Selector }
  /** Everybody, inside the cluster and out. */
  | { readonly kind: 'everybody' }
  /** The policy's own cluster: its pods, managed or not, and every node. */
  | { readonly kind: 'cluster' }
  | CidrMatch
  | ServiceMatch;

export interface CidrMatch {
  readonly kind: 'cidr';
  readonly cidr: Cidr;
  /** Parts of `cidr` that are left out. */
  readonly except: readonly Cidr[];
  /** `ipBlock` looks at addresses alone, so pods and nodes count too; Cilium's CIDRs are about the outside. */
  readonly cluster: boolean;
}

/** Backends of Services: the pods of those that select pods, the addresses of those that do not. */
export interface ServiceMatch {
  readonly kind: 'service';
  /** Undefined = of any namespace. */
  readonly namespace: string | undefined;
  /** Undefined when `labels` says which. */
  readonly name: string | undefined;
  /** Over the Service's own labels. */
  readonly labels: Selector | undefined;
}

/** A range of ports of one protocol, or a port that pods name. ICMP: the type stands where the port would. */
export type PortMatch =
  | {
      readonly kind: 'range';
      /** IP protocol number. */
      readonly protocol: number;
      /** 0..65,535; the whole range = the protocol as such. */
      readonly first: number;
      readonly last: number;
    }
  | { readonly kind: 'named'; readonly protocol: number; readonly name: string };
