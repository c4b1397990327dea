import type { Path } from '../manifest/document.ts';
import type { PolicyCheck } from './finding.ts';
import type { DirectionRules, Rule } from './policy.ts';
import { readCiliumRule } from './read-cilium-rule.ts';
import { readSubject } from './read-cilium-selector.ts';
import type { SectionBody } from './read-network-policy.ts';
import type { PolicyReference, RuleList } from './reference.ts';

const FIELDS = [
  'endpointSelector',
  'nodeSelector',
  'ingress',
  'ingressDeny',
  'egress',
  'egressDeny',
  'enableDefaultDeny',
  'labels',
  'description',
  'log',
];

/**
 * Reads `spec` and `specs` of a cilium.io/v2 CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy: layers 3 and 4 as Cilium
 * defines them (https://docs.cilium.io/en/stable/security/policy/), each point in docs/policy.md.
 */
export function readCiliumPolicy(check: PolicyCheck, policy: PolicyReference): SectionBody[] {
  const paths: { path: Path; spec: number | undefined }[] = [];
  if (check.has(['spec'])) paths.push({ path: ['spec'], spec: undefined });
  check.each(['specs'], (path) => paths.push({ path, spec: path[1] as number }));
  if (paths.length === 0) check.fail(['spec'], 'is missing, and there is no specs either');
  return paths.flatMap(({ path, spec }) => readSpec(check, policy, path, spec) ?? []);
}

function readSpec(
  check: PolicyCheck,
  policy: PolicyReference,
  path: Path,
  spec: number | undefined,
): SectionBody | undefined {
  if (!check.fields(path, FIELDS, true)) return undefined;
  check.text([...path, 'description']);
  if (check.has([...path, 'nodeSelector'])) {
    check.report(
      'WP004',
      [...path, 'nodeSelector'],
      'selects nodes; policy is enforced on pods only, so it is refused',
    );
    return undefined;
  }
  if (!check.map([...path, 'endpointSelector'], true)) return undefined;
  const subject = readSubject(check, [...path, 'endpointSelector'], policy.namespace);
  const ingress = readDirection(check, policy, path, spec, ['ingress', 'ingressDeny']);
  const egress = readDirection(check, policy, path, spec, ['egress', 'egressDeny']);
  const rules = ingress.rules.length + egress.rules.length;
  if (rules === 0 && !ingress.defaultDeny && !egress.defaultDeny && !check.failed) {
    check.report('WP113', path, 'has no rule, so it changes nothing');
  }
  return { subject, ingress, egress };
}

/** Default deny follows from any rule in the direction, unless enableDefaultDeny says otherwise. An empty list is no rule. */
function readDirection(
  check: PolicyCheck,
  policy: PolicyReference,
  path: Path,
  spec: number | undefined,
  lists: readonly [allow: RuleList, deny: RuleList],
): DirectionRules {
  const direction = lists[0];
  const rules: Rule[] = [];
  let written = 0;
  for (const list of lists) {
    check.each([...path, list], (at) => {
      written++;
      const reference = { policy, spec, list, index: at[at.length - 1] as number };
      const rule = readCiliumRule(check, at, reference);
      if (rule !== undefined) rules.push(rule);
    });
  }
  const asked = [...path, 'enableDefaultDeny', direction];
  if (direction === 'ingress') check.fields([...path, 'enableDefaultDeny'], ['ingress', 'egress']);
  check.flag(asked);
  const said = check.at(asked);
  return { defaultDeny: typeof said === 'boolean' ? said : written > 0, rules };
}
