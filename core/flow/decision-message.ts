import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type PolicyDecision as PolicyDecisionMessage,
  PolicyDecisionSchema,
  type PolicyReference as PolicyReferenceMessage,
  type PolicyReferenceSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import type { PolicyDecision, PolicyReference } from './policy-decision.ts';

/** A policy decision as it travels in a batch's dictionary. */
export function decisionMessage(decision: PolicyDecision): PolicyDecisionMessage {
  return create(PolicyDecisionSchema, {
    direction: decision.direction,
    allowedBy: decision.allowedBy.map(referenceInit),
    deniedBy: decision.deniedBy.map(referenceInit),
    defaultDeny: decision.defaultDeny,
    auditDeniedBy: decision.auditDeniedBy.map(referenceInit),
    auditDefaultDeny: decision.auditDefaultDeny,
  });
}

export function decisionFromMessage(message: PolicyDecisionMessage): PolicyDecision {
  return {
    direction: message.direction,
    allowedBy: message.allowedBy.map(reference),
    deniedBy: message.deniedBy.map(reference),
    defaultDeny: message.defaultDeny,
    auditDeniedBy: message.auditDeniedBy.map(reference),
    auditDefaultDeny: message.auditDefaultDeny,
  };
}

function referenceInit(reference: PolicyReference): MessageInitShape<typeof PolicyReferenceSchema> {
  const { kind, namespace, name, rule, path } = reference;
  return { kind, namespace, name, rule, path };
}

function reference({ kind, namespace, name, rule, path }: PolicyReferenceMessage): PolicyReference {
  return { kind, namespace, name, rule, ...(path === '' ? {} : { path }) };
}
