import type { Protection } from '#core/policy/coverage.ts';
import { PolicyProtection } from '#proto/gen/waggle/v1/policy_pb.ts';

const PROTECTIONS: Record<Protection, PolicyProtection> = {
  open: PolicyProtection.OPEN,
  audited: PolicyProtection.AUDITED,
  protected: PolicyProtection.PROTECTED,
};
const WEAKEST: readonly Protection[] = ['open', 'audited', 'protected'];

/** Of several kinds of pods the least protected counts. */
export function weakest(protections: Iterable<Protection>): PolicyProtection {
  const all = new Set(protections);
  return PROTECTIONS[WEAKEST.find((each) => all.has(each)) ?? 'open'];
}
