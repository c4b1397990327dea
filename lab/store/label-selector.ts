import { holds, requirement } from '#core/policy/selector.ts';
import type { LabelSelector } from './objects.ts';

/** Whether labels satisfy a selector, by Kubernetes' rules: every part must hold, and an empty one holds for all. */
export function matchesSelector(
  { matchLabels, matchExpressions = [] }: LabelSelector,
  labels: Record<string, string> = {},
): boolean {
  const own = new Map(Object.entries(labels));
  return (
    matchesLabels(matchLabels, labels) &&
    matchExpressions.every(({ key, operator, values }) => holds(requirement(key, operator, values), own))
  );
}

export function matchesLabels(wanted: Record<string, string> = {}, labels: Record<string, string> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
