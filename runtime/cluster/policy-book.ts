import { type Finding, finding } from '#core/policy/finding.ts';
import type { Policy } from '#core/policy/policy.ts';
import { readPolicyObject } from '#core/policy/read-policies.ts';
import { type PolicyReference, policyText } from '#core/policy/reference.ts';
import { closedInstead } from '#core/policy/unreadable-policy.ts';
import { type Metadata, POLICY_OBJECT_KINDS, type PolicyObject, type PolicyObjectKind } from './objects.ts';
import type { ClusterSource } from './source.ts';

export interface PoliciesRead {
  /** The same array as long as nothing has changed. */
  readonly policies: readonly Policy[];
  /** What cannot be used, by policy: its last good state stays in force, or what it may be about is closed. */
  readonly problems: readonly string[];
  /** Every policy object there is, usable or not. */
  readonly entries: readonly PolicyEntry[];
}

export interface PolicyEntry {
  readonly object: PolicyObject;
  /** What is in force: the object, or its last good state, or what stands in for one that never could be used. */
  readonly policy: Policy;
  /** The manifest that `policy` was read from; undefined where it only stands in. */
  readonly good: unknown;
  /** It never could be used: what it selects is closed. */
  readonly closed: boolean;
  /** Of the object as it stands now. */
  readonly findings: readonly Finding[];
  /** Empty when it can be used. */
  readonly problem: string;
}

/** The last good state of a policy that is unusable now, for a process that comes after this one. */
export interface KeptPolicy {
  readonly kind: PolicyObjectKind;
  readonly namespace: string;
  readonly name: string;
  readonly manifest: unknown;
}

type PolicySource = Pick<ClusterSource, 'list'> & Partial<Pick<ClusterSource, 'problems'>>;

/**
 * The policies of the cluster as the engine takes them. One that becomes unreadable stays as it was until it is mended or
 * deleted; in the place of one that never was readable stands what closes the pods it may be about.
 */
export class PolicyBook {
  #known = new Map<string, PolicyEntry>();
  #read: PoliciesRead = { policies: [], problems: [], entries: [] };
  readonly #earlier: ReadonlyMap<string, KeptPolicy>;

  /** @param earlier what a process before this one has kept */
  constructor(earlier: readonly KeptPolicy[] = []) {
    this.#earlier = new Map(earlier.map((entry) => [keyOf(entry.kind, entry), entry]));
  }

  /** What has to be remembered for the next process. */
  kept(): KeptPolicy[] {
    return [...this.#known.values()].flatMap(({ object, good, problem }) => {
      const { kind, metadata } = object;
      const { namespace, name } = metadata;
      return problem === '' || good === undefined ? [] : { kind, namespace, name, manifest: good };
    });
  }

  read(source: PolicySource): PoliciesRead {
    const known = new Map<string, PolicyEntry>();
    let changed = false;
    const note = (key: string, entry: PolicyEntry): void => {
      known.set(key, entry);
      if (entry !== this.#known.get(key)) changed = true;
    };
    for (const kind of POLICY_OBJECT_KINDS) {
      for (const object of source.list(kind)) {
        const key = keyOf(kind, object.metadata);
        const before = this.#known.get(key);
        note(key, before?.object === object ? before : readObject(object, before ?? this.#lastGood(key)));
      }
    }
    for (const { object, message } of source.problems?.() ?? []) {
      if (object === undefined || !isPolicyKind(object.kind)) continue;
      const key = keyOf(object.kind, object);
      // What the source still has is its last good state.
      if (known.has(key)) continue;
      const before = this.#known.get(key);
      const same =
        before !== undefined && before.object.manifest === undefined && before.findings[0]?.message === message;
      note(key, same ? before : withoutObject(object.kind, object, message, before ?? this.#lastGood(key)));
    }
    if (!changed && known.size === this.#known.size) return this.#read;
    this.#known = known;
    const all = [...known.values()];
    this.#read = {
      policies: all.map(({ policy }) => policy),
      problems: all.flatMap(({ problem }) => (problem === '' ? [] : problem)),
      entries: all,
    };
    return this.#read;
  }

  #lastGood(key: string): LastGood | undefined {
    const kept = this.#earlier.get(key);
    const policy = kept && readPolicyObject(kept.manifest, key)?.policy;
    return policy && { policy, good: kept.manifest };
  }
}

type LastGood = Pick<PolicyEntry, 'policy' | 'good'>;

function keyOf(kind: PolicyObjectKind, { namespace, name }: { namespace: string; name: string }): string {
  return `${kind}/${namespace}/${name}`;
}

function isPolicyKind(kind: string): kind is PolicyObjectKind {
  return (POLICY_OBJECT_KINDS as readonly string[]).includes(kind);
}

function readObject(object: PolicyObject, before: LastGood | undefined): PolicyEntry {
  const { kind, metadata, manifest } = object;
  const reference = { kind, namespace: metadata.namespace, name: metadata.name };
  const read = readPolicyObject(manifest, policyText(reference));
  const findings = read?.findings ?? [];
  if (read?.policy !== undefined) {
    return { object, policy: read.policy, good: manifest, closed: false, findings, problem: '' };
  }
  const what = findings.find(({ severity }) => severity === 'error')?.message ?? 'cannot be read';
  return { object, findings, ...inItsPlace(reference, manifest, what, before) };
}

/** Of a policy of which only the name is known. */
function withoutObject(
  kind: PolicyObjectKind,
  { namespace, name }: { namespace: string; name: string },
  message: string,
  before: LastGood | undefined,
): PolicyEntry {
  const reference = { kind, namespace, name };
  const metadata: Metadata = { name, namespace, uid: '', labels: {}, annotations: {}, ownerReferences: [] };
  return {
    object: { kind, metadata, manifest: undefined },
    findings: [finding('WP001', { file: policyText(reference), line: 1, column: 1 }, message)],
    ...inItsPlace(reference, undefined, message, before),
  };
}

function inItsPlace(
  reference: PolicyReference,
  manifest: unknown,
  what: string,
  before: LastGood | undefined,
): Pick<PolicyEntry, 'policy' | 'good' | 'closed' | 'problem'> {
  const text = policyText(reference);
  if (before?.good !== undefined) {
    const problem = `${text}: ${what}; its last good state is in force`;
    return { policy: before.policy, good: before.good, closed: false, problem };
  }
  const problem = `${text}: ${what}; the pods it may be about are closed until it can be read`;
  return { policy: closedInstead(manifest, reference), good: undefined, closed: true, problem };
}
