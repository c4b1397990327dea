import type { PolicyDecision, PolicyReference } from '../flow/policy-decision.ts';
import { memoised } from './endpoint-predicate.ts';
import { rowField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

/** Whatever part a policy had: it allowed, denied, made the default deny, or would have denied. */
export const policyField = rowField<{ namespace: string; name: string }>({
  name: 'policy',
  doc: 'a policy that decided, or would have: "name" or "namespace/name"; "*" stands for any characters',
  example: 'policy=shop/allow-web',
  parse(text) {
    const slash = text.indexOf('/');
    const namespace = namePattern(text.slice(0, Math.max(slash, 0)), 'a namespace', { empty: true });
    if ('problem' in namespace) return namespace;
    const name = namePattern(text.slice(slash + 1), 'a policy name', { empty: namespace.value !== '' });
    return 'problem' in name ? name : { value: { namespace: namespace.value, name: name.value } };
  },
  print: ({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`),
  number: (columns, row) => columns.policy[row] || undefined,
  listOf: (number, { decisions }) => [...new Set(references(decisions.get(number)).map(written))],
  predicate({ namespace, name }, _side, { decisions }) {
    const inNamespace = namespace === '' ? () => true : glob(namespace);
    // "namespace/" is every policy of it.
    const named = name === '' ? () => true : glob(name);
    const had = memoised(decisions, (decision: PolicyDecision) =>
      references(decision).some((policy) => inNamespace(policy.namespace) && named(policy.name)),
    );
    return (columns, row) => had(columns.policy[row]);
  },
});

function references({ allowedBy, deniedBy, auditDeniedBy }: PolicyDecision): PolicyReference[] {
  return [...allowedBy, ...deniedBy, ...auditDeniedBy];
}

function written({ namespace, name }: PolicyReference): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
