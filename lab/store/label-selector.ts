import type { LabelSelector } from './objects.ts';

/** Whether labels satisfy a selector, by Kubernetes' rules: every part must hold, and an empty one holds for all. */
export function matchesSelector(selector: LabelSelector, labels: Record<string, string> = {}): boolean {
  return (
    matchesLabels(selector.matchLabels, labels) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

export function matchesLabels(wanted: Record<string, string> = {}, labels: Record<string, string> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}
