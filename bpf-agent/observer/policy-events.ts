import type { Policy } from '#core/policy/policy.ts';
import { policyText } from '#core/policy/reference.ts';
import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import type { EventInit } from './agent-event-log.ts';

/** Which policies came, changed and went. */
export class PolicyEvents {
  #list: readonly Policy[] = [];
  #before: ReadonlyMap<string, Policy> = new Map();
  /** Rises with every change of a policy, from 1. */
  #revision = 1;

  /** @param policies those in force; one that has not changed is the same object as before */
  update(policies: readonly Policy[]): EventInit[] {
    if (policies === this.#list) return [];
    const events: EventInit[] = [];
    const now = new Map(policies.map((policy) => [policyText(policy.reference), policy]));
    for (const [name, policy] of now) {
      if (this.#before.get(name) !== policy) events.push(this.#changed(AgentEventType.POLICY_UPDATED, policy));
    }
    for (const [name, policy] of this.#before) {
      if (!now.has(name)) events.push(this.#changed(AgentEventType.POLICY_DELETED, policy));
    }
    this.#list = policies;
    this.#before = now;
    return events;
  }

  #changed(type: AgentEventType, { reference, sections }: Policy): EventInit {
    const value = {
      labels: policyLabels(reference),
      revision: BigInt(++this.#revision),
      ruleCount: BigInt(sections.length),
    };
    return { type, notification: { case: 'policyUpdate', value } };
  }
}

/** The labels by which Cilium says what object a rule is of. */
function policyLabels({ kind, namespace, name }: Policy['reference']): string[] {
  return [
    `k8s:io.cilium.k8s.policy.derived-from=${kind}`,
    `k8s:io.cilium.k8s.policy.name=${name}`,
    ...(namespace === '' ? [] : [`k8s:io.cilium.k8s.policy.namespace=${namespace}`]),
  ];
}
