import type { Policy } from '#core/policy/policy.ts';
import { type PolicyKind, type PolicyReference, policyText } from '#core/policy/reference.ts';
import { CommandError, MISUSE } from '../failure.ts';

export const POLICY_FORM = 'kind/namespace/name, such as networkpolicy/shop/db; of a clusterwide policy ccnp/name';

/** As kubectl takes them. */
const KINDS: Readonly<Record<string, PolicyKind>> = {
  netpol: 'NetworkPolicy',
  cnp: 'CiliumNetworkPolicy',
  ccnp: 'CiliumClusterwideNetworkPolicy',
  networkpolicy: 'NetworkPolicy',
  ciliumnetworkpolicy: 'CiliumNetworkPolicy',
  ciliumclusterwidenetworkpolicy: 'CiliumClusterwideNetworkPolicy',
};

/** The policy that a word names. Throws {@link CommandError} that says which there are. */
export function findPolicy(policies: readonly Policy[], word: string): Policy {
  const meant = parse(word);
  if (meant === undefined) throw new CommandError(`"${word}" is not ${POLICY_FORM}`, MISUSE);
  const beside = policies.filter(
    ({ reference: { kind, namespace } }) => kind === meant.kind && namespace === meant.namespace,
  );
  const found = beside.find(({ reference }) => reference.name === meant.name);
  if (found !== undefined) return found;
  const names = beside.map(({ reference }) => reference.name).sort();
  const there = names.length === 0 ? 'there is none of that kind' : `there are ${names.slice(0, 20).join(', ')}`;
  throw new CommandError(`there is no ${policyText(meant)}: ${there}`);
}

function parse(word: string): PolicyReference | undefined {
  const [first = '', ...names] = word.split('/');
  const kind = Object.hasOwn(KINDS, first.toLowerCase()) ? KINDS[first.toLowerCase()] : undefined;
  const clusterwide = kind === 'CiliumClusterwideNetworkPolicy';
  if (kind === undefined || names.length !== (clusterwide ? 1 : 2) || names.includes('')) return undefined;
  return { kind, namespace: clusterwide ? '' : names[0]!, name: names.at(-1)! };
}
