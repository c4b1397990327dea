import { spawnSync } from 'node:child_process';

export interface KubeProxyRulesFound {
  readonly kind: 'iptables' | 'nftables';
  readonly rules: number;
}

const FRESH_MS = 30_000;
const DEADLINE_MS = 3_000;
let known: { readonly atMs: number; readonly found: KubeProxyRulesFound[] } | undefined;

/**
 * Rules of kube-proxy in this network namespace. They do no harm: what a program connects to is exchanged before a packet meets
 * them. Listing them may take long where there are many, so the answer is kept for half a minute.
 */
export function kubeProxyRules(nowMs: number = performance.now()): readonly KubeProxyRulesFound[] {
  if (known === undefined || nowMs - known.atMs > FRESH_MS) known = { atMs: nowMs, found: look() };
  return known.found;
}

function look(): KubeProxyRulesFound[] {
  const iptables = lines(['iptables-save', '-t', 'nat'], /^-A KUBE-(?:SERVICES|SVC-|SEP-|NODEPORTS)/);
  const nftables = lines(['nft', '-s', 'list', 'table', 'ip', 'kube-proxy'], /^\s*(?:ip|meta|numgen|jump|goto)\b/);
  return [
    ...(iptables > 0 ? [{ kind: 'iptables' as const, rules: iptables }] : []),
    ...(nftables > 0 ? [{ kind: 'nftables' as const, rules: nftables }] : []),
  ];
}

/** How many lines of a tool's output are of this form; 0 where there is no such tool, or nothing of it. */
function lines([command, ...args]: string[], form: RegExp): number {
  const { status, stdout } = spawnSync(command!, args, { encoding: 'utf8', timeout: DEADLINE_MS, maxBuffer: 1 << 26 });
  return status === 0 ? stdout.split('\n').filter((line) => form.test(line)).length : 0;
}
