import type { Finding } from '#core/policy/finding.ts';
import type { Policy } from '#core/policy/policy.ts';
import { readPolicyObject } from '#core/policy/read-policies.ts';
import { POLICY_OBJECT_KINDS, type PolicyObject } from './objects.ts';
import type { ClusterSource } from './source.ts';

export interface PoliciesRead {
  /** The same array as long as nothing has changed. */
  readonly policies: readonly Policy[];
  /** What cannot be used, by policy: its last good state stays in force. */
  readonly problems: readonly string[];
  /** Every policy object there is, usable or not. */
  readonly entries: readonly PolicyEntry[];
}

export interface PolicyEntry {
  readonly object: PolicyObject;
  /** Its last good state; undefined when it never had one. */
  readonly policy: Policy | undefined;
  /** Of the object as it stands now. */
  readonly findings: readonly Finding[];
  /** Empty when it can be used. */
  readonly problem: string;
}

/** The policies of the cluster as the engine takes them. One that becomes unreadable stays as it was until it is mended or deleted. */
export class PolicyBook {
  #known = new Map<string, PolicyEntry>();
  #read: PoliciesRead = { policies: [], problems: [], entries: [] };

  read(source: Pick<ClusterSource, 'list'>): PoliciesRead {
    const known = new Map<string, PolicyEntry>();
    let changed = false;
    for (const kind of POLICY_OBJECT_KINDS) {
      for (const object of source.list(kind)) {
        const { namespace, name } = object.metadata;
        const key = `${kind}/${namespace}/${name}`;
        const before = this.#known.get(key);
        const now = before?.object === object ? before : readObject(object, before?.policy);
        known.set(key, now);
        if (now !== before) changed = true;
      }
    }
    if (!changed && known.size === this.#known.size) return this.#read;
    this.#known = known;
    const all = [...known.values()];
    this.#read = {
      policies: all.flatMap(({ policy }) => policy ?? []),
      problems: all.flatMap(({ problem }) => (problem === '' ? [] : problem)),
      entries: all,
    };
    return this.#read;
  }
}

function readObject(object: PolicyObject, lastGood: Policy | undefined): PolicyEntry {
  const { kind, metadata } = object;
  const name = `${kind} ${metadata.namespace === '' ? '' : `${metadata.namespace}/`}${metadata.name}`;
  const read = readPolicyObject(object.manifest, name);
  if (read?.policy !== undefined) return { object, policy: read.policy, findings: read.findings, problem: '' };
  const findings = read?.findings ?? [];
  const finding = findings.find(({ severity }) => severity === 'error');
  const kept = lastGood === undefined ? 'it is not enforced' : 'its last good state is';
  return {
    object,
    policy: lastGood,
    findings,
    problem: `${name}: ${finding?.message ?? 'cannot be read'}; ${kept}`,
  };
}
