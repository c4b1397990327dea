import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface KubeProxyRulesFound {
  readonly kind: 'iptables' | 'nftables';
  readonly rules: number;
}

const FRESH_MS = 30_000;
const DEADLINE_MS = 3_000;
const IPTABLES_RULE = /^-A KUBE-(?:SERVICES|SVC-|SEP-|NODEPORTS|EXT-)/;
/** Rules, and the elements of the maps that lead to Services. */
const NFTABLES_RULE = /^\s*(?:ip6?|meta|numgen|jump|goto|elements)\b/;
let known: { readonly atMs: number; readonly found: Promise<KubeProxyRulesFound[]> } | undefined;

/**
 * Rules of kube-proxy in this network namespace. They do no harm: what a program connects to is exchanged before a packet meets
 * them. Listing them may take long where there are many, so the answer is kept for half a minute.
 */
export function kubeProxyRules(nowMs: number = performance.now()): Promise<readonly KubeProxyRulesFound[]> {
  if (known === undefined || nowMs - known.atMs > FRESH_MS) known = { atMs: nowMs, found: look() };
  return known.found;
}

async function look(): Promise<KubeProxyRulesFound[]> {
  const [ip4, ip6, nft4, nft6] = await Promise.all([
    lines(['iptables-save', '-t', 'nat'], IPTABLES_RULE),
    lines(['ip6tables-save', '-t', 'nat'], IPTABLES_RULE),
    lines(['nft', '-s', 'list', 'table', 'ip', 'kube-proxy'], NFTABLES_RULE),
    lines(['nft', '-s', 'list', 'table', 'ip6', 'kube-proxy'], NFTABLES_RULE),
  ]);
  const [iptables, nftables] = [ip4 + ip6, nft4 + nft6];
  return [
    ...(iptables > 0 ? [{ kind: 'iptables' as const, rules: iptables }] : []),
    ...(nftables > 0 ? [{ kind: 'nftables' as const, rules: nftables }] : []),
  ];
}

/** How many lines of a tool's output are of this form; 0 where there is no such tool, or nothing of it. */
function lines([command = '', ...args]: string[], form: RegExp): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: DEADLINE_MS });
    let count = 0;
    child.on('error', () => resolve(0));
    child.on('close', () => resolve(count));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (form.test(line)) count++;
    });
  });
}
