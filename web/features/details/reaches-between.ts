import { WORLD_NAME, workloadKey } from '#core/card/card-name.ts';
import type { PolicyReach, PolicyReport } from '../../worker/policy-report.ts';

/**
 * The rules that allow one card to reach another: those about the two, and those that open one of them to everybody, as long as
 * policies do not close the other one that way.
 */
export function reachesBetween(
  { reaches, workloads }: Pick<PolicyReport, 'reaches' | 'workloads'>,
  source: string,
  destination: string,
): PolicyReach[] {
  const [from, to] = [workloadKey(source), workloadKey(destination)];
  const isOpen = (key: string, direction: 'ingress' | 'egress') =>
    workloads.every((workload) => workload.key !== key || workload[direction] !== 'protected');
  const [anybodyIn, anybodyOut] = [isOpen(from, 'egress'), isOpen(to, 'ingress')];
  return reaches.filter((reach) => {
    if (reach.source === from && reach.destination === to) return true;
    if (!reach.anybody) return false;
    // The world's card stands for everybody at the other end.
    if (reach.source === WORLD_NAME.key) return reach.destination === to && anybodyIn;
    return reach.source === from && anybodyOut;
  });
}
