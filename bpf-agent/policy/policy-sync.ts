import { isLabelIdentity } from '#core/identity/identity-number.ts';
import type { LabelSet } from '#core/identity/label-set.ts';
import { assignCidrIdentities, type CidrIdentities } from '#core/policy/cidr-identity.ts';
import type { PolicyCluster } from '#core/policy/cluster.ts';
import { PolicyCompiler } from '#core/policy/compile.ts';
import type { Policy } from '#core/policy/policy.ts';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { PolicyClusterView } from '#runtime/cluster/policy-cluster-view.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { LoaderError } from '../loader/loader-error.ts';
import type { EndpointPolicy } from '../maps/endpoints.ts';
import type { RunDirectory } from '../run-directory.ts';
import { PolicyKeeper } from './kept-policies.ts';
import { type PolicyMaps, PolicySets } from './policy-sets.ts';
import type { ReasonLog } from './reason-log.ts';
import { type SetContent, setContent } from './set-content.ts';

export interface PolicySyncOptions {
  readonly source: Pick<ClusterSource, 'list' | 'problems'>;
  readonly maps: PolicyMaps;
  readonly reasons: ReasonLog;
  /** Where what the next agent needs is kept. */
  readonly run: Pick<RunDirectory, 'read' | 'write'>;
  readonly cluster: string;
  /** Evaluate and report, enforce nowhere. */
  readonly audit: boolean;
  /** Set numbers that endpoints have from an earlier agent. */
  readonly setsInUse: Iterable<number>;
}

export interface IdentitiesOfNode {
  /** Every pod's label set, by identity. */
  readonly all: ReadonlyMap<number, LabelSet>;
  /** Identities of this node's pods. */
  readonly local: ReadonlySet<number>;
  /** Identities that addresses are mapped to at this moment. */
  readonly mapped: ReadonlySet<number>;
}

/** What an endpoint is under whose policy is not known yet. */
export const CLOSED: EndpointPolicy = {
  set: 0,
  enforced: { ingress: false, egress: false },
  audited: { ingress: false, egress: false },
  ranges: false,
  guarded: true,
  closed: true,
};

/** Policies → policy sets. What cannot be computed or written leaves the last good state in force. */
export class PolicySync {
  readonly #options: PolicySyncOptions;
  readonly #keeper: PolicyKeeper;
  readonly #view: PolicyClusterView;
  readonly #sets: PolicySets;
  #cidrs: CidrIdentities = new Map();
  #engine: PolicyEngine | undefined;
  #compiledFrom: readonly Policy[] | undefined;
  /** Compiled by the present engine, by identity. */
  #contents = new Map<number, SetContent>();
  #policies: ReadonlyMap<number, EndpointPolicy> = new Map();
  #problems: readonly string[] = [];
  /** As the book last said it. */
  #told: readonly string[] | undefined;

  constructor(options: PolicySyncOptions) {
    this.#options = options;
    this.#keeper = new PolicyKeeper(options.run);
    this.#view = new PolicyClusterView(options.cluster, options.audit);
    this.#sets = new PolicySets(options.maps, options.setsInUse);
  }

  /** What of the policies is not in force, and why. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Entries that the policies take in the kernel's map. */
  get entries(): number {
    return this.#sets.size;
  }

  /** What is in force; undefined before the first run. */
  get engine(): PolicyEngine | undefined {
    return this.#engine;
  }

  /** What pods of an identity are under: another object when it was written anew, undefined where nothing is or could be. */
  rulesOf(identity: number): object | undefined {
    return this.#contents.get(identity);
  }

  /**
   * Brings the sets up to date, for peers that exist and those about to. To be called before addresses are mapped to new
   * identities; what it returns is then given to the endpoints.
   *
   * @returns by identity of this node's pods; none at all where the cluster has no policy
   */
  prepare(identities: IdentitiesOfNode): ReadonlyMap<number, EndpointPolicy> {
    const { source } = this.#options;
    const { policies, problems } = this.#keeper.book.read(source);
    if (problems !== this.#told) this.#keeper.save();
    this.#told = problems;
    const said = [...problems];
    const cluster = this.#view.read(source, identities.all);
    if (policies.length === 0) {
      this.#engine = undefined;
      this.#contents.clear();
      this.#policies = new Map();
    } else {
      this.#update(policies, cluster);
      this.#policies = this.#write(identities, said);
    }
    this.#problems = said;
    return this.#policies;
  }

  /** Once endpoints and addresses are as `prepare` was told. @param setsInUse set numbers that endpoints have */
  settle(local: ReadonlySet<number>, setsInUse: ReadonlySet<number>): void {
    this.#sets.keepOnly(this.#policies.size === 0 ? new Set() : local);
    this.#sets.sweep(setsInUse);
  }

  #update(policies: readonly Policy[], cluster: PolicyCluster): void {
    const before = this.#engine;
    if (before !== undefined && before.cluster === cluster && this.#compiledFrom === policies) return;
    const engine = new PolicyEngine(policies, cluster, before);
    const cidrs = assignCidrIdentities(engine.cidrs(), this.#cidrs);
    // A change is about few: for the others what was compiled still holds.
    const reusable = before !== undefined && sameNumbers(cidrs, this.#cidrs);
    const kept = [...this.#contents].filter(([identity]) => reusable && engine.saysTheSame(identity, before));
    this.#cidrs = cidrs;
    this.#engine = engine;
    this.#compiledFrom = policies;
    this.#contents = new Map(kept);
  }

  #write({ all, local, mapped }: IdentitiesOfNode, problems: string[]): Map<number, EndpointPolicy> {
    const { reasons, audit } = this.#options;
    const compiler = new PolicyCompiler(this.#engine!, this.#cidrs);
    const fresh: number[] = [];
    for (const identity of local) {
      if (this.#contents.has(identity)) continue;
      this.#contents.set(identity, setContent(compiler.compile(identity), this.#cidrs, reasons.table));
      fresh.push(identity);
    }
    if (fresh.length > 0) reasons.save(() => new Set(this.#sets.rules()));
    // Reserved identities are always there; addresses are mapped to ranges by the set itself.
    const peers = {
      mapped: (peer: number) => !isLabelIdentity(peer) || mapped.has(peer),
      exists: (peer: number) => !isLabelIdentity(peer) || all.has(peer),
    };
    const policies = new Map<number, EndpointPolicy>();
    let [refused, closed] = [0, 0];
    let why = '';
    for (const identity of local) {
      let policy = this.#sets.policy(identity);
      try {
        if (policy === undefined || fresh.includes(identity)) {
          policy = this.#sets.put(identity, this.#contents.get(identity)!, peers);
        }
      } catch (error) {
        if (!(error instanceof LoaderError)) throw error;
        refused++;
        if (policy === undefined) closed++;
        why = error.message;
        // To be tried again.
        this.#contents.delete(identity);
      }
      policies.set(identity, policy === undefined ? CLOSED : { ...policy, guarded: !audit });
    }
    if (refused > 0) problems.push(refusal(refused, closed, why));
    return policies;
  }
}

function sameNumbers(a: CidrIdentities, b: CidrIdentities): boolean {
  if (a.size !== b.size) return false;
  for (const [text, { number }] of a) if (b.get(text)?.number !== number) return false;
  return true;
}

function refusal(refused: number, closed: number, why: string): string {
  const kept = refused - closed;
  const states = [
    ...(kept > 0 ? [`for ${kept} the last good one is in force`] : []),
    ...(closed > 0 ? [`${closed} never had one and are closed`] : []),
  ];
  return `policy of ${refused} sets of labels is not up to date (${states.join(', ')}): ${why}; more room: --policy-entries`;
}
