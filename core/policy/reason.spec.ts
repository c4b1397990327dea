import { describe, expect, it } from 'vitest';
import { allows, dropReasonOf, FIRST_REASON_ID, REASON_KIND, type Reason, ReasonTable, reasonText } from './reason.ts';
import { comparePolicies, type PolicyReference, ruleText } from './reference.ts';

const policy = (name: string, kind: PolicyReference['kind'] = 'NetworkPolicy'): PolicyReference => ({
  kind,
  namespace: kind === 'CiliumClusterwideNetworkPolicy' ? '' : 'shop',
  name,
});
const rule = (index: number): Reason => ({
  kind: 'rule',
  rule: { policy: policy('web'), spec: undefined, list: 'ingress', index },
});
const closed: Reason = { kind: 'default-deny', policies: [policy('a'), policy('b')] };

describe('a reason', () => {
  it('is told in words, with the policy and the rule', () => {
    expect(reasonText(rule(2))).toBe('allowed by NetworkPolicy shop/web spec.ingress[2]');
    expect(reasonText(closed)).toBe('no rule allows it; closed by NetworkPolicy shop/a, NetworkPolicy shop/b');
    const wide = policy('dns', 'CiliumClusterwideNetworkPolicy');
    expect(ruleText({ policy: wide, spec: 1, list: 'egressDeny', index: 0 })).toBe(
      'CiliumClusterwideNetworkPolicy dns specs[1].egressDeny[0]',
    );
  });

  it('has Hubble’s drop reason', () => {
    const kinds = Object.keys(REASON_KIND) as Reason['kind'][];
    const drops = kinds.map((kind) => [kind, dropReasonOf({ kind } as Reason)]).filter(([, number]) => number !== 0);
    expect(drops).toEqual([
      ['deny-rule', 181],
      ['default-deny', 133],
      ['not-ready', 203],
    ]);
    for (const kind of kinds) expect(dropReasonOf({ kind } as Reason) === 0).toBe(allows({ kind } as Reason));
  });
});

describe('the table of reasons', () => {
  it('gives equal reasons one id, and its own to each of the others', () => {
    const table = new ReasonTable();
    const ids = [rule(0), rule(1), closed].map((reason) => table.idOf(reason));
    expect(ids).toEqual([FIRST_REASON_ID, FIRST_REASON_ID + 1, FIRST_REASON_ID + 2]);
    expect(table.idOf(structuredClone(closed))).toBe(ids[2]);
    expect(ids.map((id) => reasonText(table.reason(id)!))).toEqual([rule(0), rule(1), closed].map(reasonText));
  });

  it('keeps what needs no more words under the number of its kind', () => {
    const table = new ReasonTable();
    expect(table.idOf({ kind: 'own-node' })).toBe(REASON_KIND['own-node']);
    expect(table.reason(REASON_KIND.itself)?.kind).toBe('itself');
    expect(table.reason(0)).toBeUndefined();
    expect(table.size).toBe(0);
  });

  it('forgets what is no longer in use, and never gives its id again', () => {
    const table = new ReasonTable();
    const [first, second] = [rule(0), rule(1)];
    const [gone, kept] = [table.idOf(first), table.idOf(second)];
    table.retain(new Set([kept]));
    expect(table.reason(gone)).toBeUndefined();
    expect(table.reason(kept)).toBe(second);
    const again = table.idOf(first);
    expect(again).toBeGreaterThan(kept);
    expect(table.reason(again)).toBe(first);
    expect(table.size).toBe(2);
  });

  it('goes on above the ids of a table before it', () => {
    expect(new ReasonTable(1000).idOf(closed)).toBe(1000);
    expect(new ReasonTable(3).idOf(closed)).toBe(FIRST_REASON_ID);
  });
});

it('policies have one order: kind, namespace, name', () => {
  const list = [
    policy('b', 'CiliumNetworkPolicy'),
    policy('b'),
    policy('a', 'CiliumClusterwideNetworkPolicy'),
    policy('B'),
  ];
  expect([...list].sort(comparePolicies).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'NetworkPolicy B',
    'NetworkPolicy b',
    'CiliumNetworkPolicy b',
    'CiliumClusterwideNetworkPolicy a',
  ]);
});
