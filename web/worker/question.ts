import type { PolicyDecision } from '#core/flow/policy-decision.ts';
import type { PlatePolicies } from '../graph/plates.ts';
import type { PolicyReport } from './policy-report.ts';
import type { ServiceReport, TraceReport } from './service-report.ts';
import type { FlowRow } from './shown-flow.ts';

/** What a tab asks of the server, beside what it watches. Answers are plain data. */
export type Question =
  | ValuesQuestion
  | DescriptionQuestion
  | PoliciesQuestion
  | PolicyCountsQuestion
  | ServicesQuestion
  | TraceQuestion;

/** All policies of the cluster. */
export interface PoliciesQuestion {
  readonly about: 'policies';
}

/** What policies come to in each namespace. */
export interface PolicyCountsQuestion {
  readonly about: 'policy-counts';
}

/** All Services of the cluster. */
export interface ServicesQuestion {
  readonly about: 'services';
}

/** What a connection to an address would hit. */
export interface TraceQuestion {
  readonly about: 'trace';
  readonly address: string;
  readonly port: number;
  /** TCP, UDP. */
  readonly protocol: string;
  /** Who connects; both empty = a process of a node. */
  readonly namespace: string;
  readonly pod: string;
}

/** Which values of a filter field recent flows of a view have. */
export interface ValuesQuestion {
  readonly about: 'values';
  readonly namespaces: readonly string[];
  /** The filter's other tokens. */
  readonly filter: readonly string[];
  readonly field: string;
  readonly side: 'any' | 'from' | 'to';
  readonly typed: string;
}

/** What the server's window knows about a card; with `destination`, about what that card opens to another. */
export interface DescriptionQuestion {
  readonly about: 'description';
  readonly namespaces: readonly string[];
  readonly filter: readonly string[];
  readonly card: string;
  readonly destination: string | null;
}

export interface Description {
  readonly members: readonly MemberDescription[];
  readonly omittedMembers: number;
  readonly stepMs: number;
  /** By `source→destination:port/protocol` (edgeKey). */
  readonly series: ReadonlyMap<string, VerdictSeries>;
  readonly drops: readonly DropDescription[];
  /** Newest first. */
  readonly latest: readonly FlowRow[];
}

/** A pod, or an address. */
export interface MemberDescription {
  readonly name: string;
  readonly address: string;
  readonly node: string;
  readonly identity: number;
  readonly labels: readonly string[];
  /** DNS names. */
  readonly names: readonly string[];
  readonly lastSeen: number;
}

/** Flows per step, oldest first; all of one length. */
export interface VerdictSeries {
  readonly forwarded: readonly number[];
  readonly dropped: readonly number[];
  readonly audited: readonly number[];
  /** Connections opened. */
  readonly opened: readonly number[];
}

export interface DropDescription {
  /** Card keys. */
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: number;
  /** Hubble's number; 0 = not known. */
  readonly reason: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly node: string;
  /** 1 ingress, 2 egress: as the endpoint sees it at which the packets were dropped. */
  readonly direction: number;
  readonly policy: PolicyDecision | null;
}

/** By `cluster/namespace`: its plate's id. */
export type PolicyCounts = Readonly<Record<string, PlatePolicies>>;

export type AnyAnswer = readonly string[] | Description | PolicyReport | PolicyCounts | ServiceReport | TraceReport;

export type Answer<Q extends Question> = Q extends ValuesQuestion
  ? readonly string[]
  : Q extends DescriptionQuestion
    ? Description
    : Q extends ServicesQuestion
      ? ServiceReport
      : Q extends TraceQuestion
        ? TraceReport
        : Q extends PolicyCountsQuestion
          ? PolicyCounts
          : PolicyReport;
