import { DIRECTION } from '#core/flow/direction.ts';
import { cidrCovers } from '#core/ip/cidr.ts';
import { CIDR_IDENTITY, type CidrIdentities, type CidrIdentity, OF_CLUSTER } from '#core/policy/cidr-identity.ts';
import { type CompiledPolicy, LAYER } from '#core/policy/policy-map.ts';
import { dropReasonOf, type ReasonTable } from '#core/policy/reason.ts';
import { toDatapathAddress, toDatapathPrefix } from '../maps/address-bytes.ts';
import type { PolicyEntry, PolicyKey, PolicyRangeKey } from '../maps/policies.ts';

const EVERY_IPV4 = '0.0.0.0/0';

type Unnumbered<T extends { set: number }> = Omit<T, 'set'>;

export interface SetEntry {
  readonly key: Unnumbered<PolicyKey>;
  readonly value: PolicyEntry;
}

export interface SetRange {
  readonly key: Unnumbered<PolicyRangeKey>;
  readonly number: number;
}

/** What a policy set holds, but for its number. */
export interface SetContent {
  readonly enforced: CompiledPolicy['enforces'];
  readonly audited: CompiledPolicy['audits'];
  /** By a text that is equal for equal keys. */
  readonly entries: ReadonlyMap<string, SetEntry>;
  readonly ranges: ReadonlyMap<string, SetRange>;
}

/** A compiled policy as the datapath's maps hold it. Directions without policy have no entries. */
export function setContent(compiled: CompiledPolicy, cidrs: CidrIdentities, reasons: ReasonTable): SetContent {
  const entries = new Map<string, SetEntry>();
  const used = new Set<number>();
  for (const { layer, direction, peer, transport, precedence, reason } of compiled.entries) {
    const egress = direction === DIRECTION.EGRESS;
    const audited = layer === LAYER.audited;
    const counts = (audited ? compiled.audits : compiled.enforces)[egress ? 'egress' : 'ingress'];
    if (!counts) continue;
    if (peer & CIDR_IDENTITY && peer < CIDR_IDENTITY * 4) used.add(peer & ~OF_CLUSTER);
    entries.set(`${layer}/${direction}/${peer}/${transport}`, {
      key: { peer, egress, audited, transport },
      value: { rule: reasons.idOf(reason), precedence, dropReason: dropReasonOf(reason) },
    });
  }
  return { enforced: compiled.enforces, audited: compiled.audits, entries, ranges: rangesOf(used, cidrs) };
}

/** The ranges in use, and those within one of them: an exception has no entries, and hides what it is an exception of. */
function rangesOf(used: ReadonlySet<number>, cidrs: CidrIdentities): Map<string, SetRange> {
  const ranges = new Map<string, SetRange>();
  if (used.size === 0) return ranges;
  // Wider ones first: whoever covers a range has been looked at before it.
  const all = [...cidrs.values()].sort((a, b) => a.cidr.length - b.cidr.length);
  const kept: CidrIdentity[] = [];
  for (const identity of all) {
    const { cidr, number } = identity;
    if (!used.has(number) && !kept.some((wider) => cidrCovers(wider.cidr, cidr))) continue;
    kept.push(identity);
    const address = toDatapathAddress(cidr.bytes);
    ranges.set(`${cidr.text} ${number}`, { key: { address, bits: toDatapathPrefix(cidr.bytes, cidr.length) }, number });
  }
  // IPv4 addresses are ::ffff:a.b.c.d there: no range of IPv6, such as ::/0, may have them.
  if (kept.some(({ cidr }) => cidr.bytes.length === 16) && !kept.some(({ cidr }) => cidr.text === EVERY_IPV4)) {
    const key = { address: toDatapathAddress(new Uint8Array(4)), bits: toDatapathPrefix(new Uint8Array(4), 0) };
    ranges.set('IPv4', { key, number: 0 });
  }
  return ranges;
}

export function sameEntry(a: SetEntry, b: SetEntry): boolean {
  return (
    a.value.rule === b.value.rule &&
    a.value.precedence === b.value.precedence &&
    a.value.dropReason === b.value.dropReason
  );
}
