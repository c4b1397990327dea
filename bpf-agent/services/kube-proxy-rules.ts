import { countLegacyRules, LEGACY } from '../netlink/legacy-table-rules.ts';
import { countNftablesRules, NFPROTO } from '../netlink/nftables-rules.ts';

export interface KubeProxyRulesFound {
  readonly kind: 'iptables' | 'nftables';
  readonly rules: number;
}

export interface KubeProxyRules {
  /** Kinds that have rules. */
  readonly found: readonly KubeProxyRulesFound[];
  /** Why there may be more; empty when there are not. */
  readonly unknown: string;
}

const FRESH_MS = 30_000;
const IPTABLES_CHAIN = /^KUBE-(?:SERVICES$|SVC-|SEP-|NODEPORTS$|EXT-)/;
/** In nftables mode kube-proxy has a table of its own. */
const ANY_CHAIN = /^/;
let known: { readonly atMs: number; readonly rules: Promise<KubeProxyRules> } | undefined;

/**
 * Rules of kube-proxy in this network namespace, as the kernel has them. They do no harm: what a program connects to is exchanged
 * before a packet meets them. Counting them may take long where there are many, so the answer is kept for half a minute.
 */
export function kubeProxyRules(nowMs: number = performance.now()): Promise<KubeProxyRules> {
  if (known === undefined || nowMs - known.atMs > FRESH_MS) known = { atMs: nowMs, rules: look() };
  return known.rules;
}

async function look(): Promise<KubeProxyRules> {
  const unknown = new Set<string>();
  const total = async (...counts: (() => number | Promise<number>)[]): Promise<number> => {
    let rules = 0;
    for (const count of counts) {
      try {
        rules += await count();
      } catch (error) {
        unknown.add((error as Error).message);
      }
    }
    return rules;
  };
  const iptables = await total(
    () => countNftablesRules(NFPROTO.IPV4, 'nat', IPTABLES_CHAIN),
    () => countNftablesRules(NFPROTO.IPV6, 'nat', IPTABLES_CHAIN),
    () => countLegacyRules(LEGACY.ipv4, 'nat', IPTABLES_CHAIN),
    () => countLegacyRules(LEGACY.ipv6, 'nat', IPTABLES_CHAIN),
  );
  const nftables = await total(
    () => countNftablesRules(NFPROTO.IPV4, 'kube-proxy', ANY_CHAIN),
    () => countNftablesRules(NFPROTO.IPV6, 'kube-proxy', ANY_CHAIN),
  );
  return {
    found: [
      ...(iptables > 0 ? [{ kind: 'iptables' as const, rules: iptables }] : []),
      ...(nftables > 0 ? [{ kind: 'nftables' as const, rules: nftables }] : []),
    ],
    unknown: [...unknown].join('; '),
  };
}
