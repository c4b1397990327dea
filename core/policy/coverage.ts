import type { EndpointDirection, PolicyDirection } from './endpoint-rules.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { allows } from './reason.ts';
import type { PolicyReference } from './reference.ts';

/** `open`: nothing closes it by default. `audited`: it would be closed if audited policies were enforced. */
export type Protection = 'open' | 'audited' | 'protected';

export interface DirectionCoverage {
  readonly protection: Protection;
  /** Policies that make the default deny, audited ones included; none where it is open. */
  readonly closedBy: readonly PolicyReference[];
}

/** How far policies cover one pod. */
export interface Coverage {
  readonly ingress: DirectionCoverage;
  readonly egress: DirectionCoverage;
  /** Every policy that selects it, whether or not it closes anything. */
  readonly selectedBy: readonly PolicyReference[];
}

/** @param subject index of the pod's identity in the engine */
export function coverageOf(engine: PolicyEngine, subject: number): Coverage {
  const selecting = engine.sections(subject).map(({ policy }) => policy.reference);
  return {
    ingress: directionCoverage(engine, 'ingress', subject),
    egress: directionCoverage(engine, 'egress', subject),
    selectedBy: [...new Set(selecting)],
  };
}

function directionCoverage(engine: PolicyEngine, direction: PolicyDirection, subject: number): DirectionCoverage {
  const { enforced, audited }: EndpointDirection = engine.endpoint(direction, subject);
  if (!allows(enforced.fallback)) return { protection: 'protected', closedBy: closing(enforced.fallback) };
  if (audited !== undefined && !allows(audited.fallback)) {
    return { protection: 'audited', closedBy: closing(audited.fallback) };
  }
  return { protection: 'open', closedBy: [] };
}

function closing(reason: EndpointDirection['enforced']['fallback']): readonly PolicyReference[] {
  return reason.kind === 'default-deny' ? reason.policies : [];
}
