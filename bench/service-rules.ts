/** Services as kube-proxy writes them for netfilter: the same frontends, in the shape of its iptables and nftables modes. */

/** Where every Service of the benchmark leads. */
export const BACKEND = { address: '10.200.0.1', port: 8080 } as const;
export const SERVICE_PORT = 80;

/** The address of the n-th Service, from 0: 10.96.0.1 … */
export function serviceAddress(index: number): string {
  const number = index + 1;
  return `10.${96 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/** Input of `iptables-restore --noflush` that adds Services [from, to). The first call makes the chains, too. */
export function iptablesRules(from: number, to: number): string {
  const lines = ['*nat'];
  if (from === 0) {
    lines.push(':KUBE-SERVICES - [0:0]', ':KUBE-MARK-MASQ - [0:0]');
    for (const chain of ['PREROUTING', 'OUTPUT']) {
      lines.push(`-A ${chain} -m comment --comment "kubernetes service portals" -j KUBE-SERVICES`);
    }
    lines.push('-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000');
  }
  const rules: string[] = [];
  for (let index = from; index < to; index++) {
    const [service, endpoint] = [`KUBE-SVC-${chainName(index)}`, `KUBE-SEP-${chainName(index)}`];
    const comment = `-m comment --comment "bench/service-${index}:http"`;
    lines.push(`:${service} - [0:0]`, `:${endpoint} - [0:0]`);
    rules.push(
      `-A KUBE-SERVICES -d ${serviceAddress(index)}/32 -p tcp ${comment} -m tcp --dport ${SERVICE_PORT} -j ${service}`,
      `-A ${service} ${comment} -j ${endpoint}`,
      `-A ${endpoint} -s ${BACKEND.address}/32 ${comment} -j KUBE-MARK-MASQ`,
      `-A ${endpoint} -p tcp ${comment} -m tcp -j DNAT --to-destination ${BACKEND.address}:${BACKEND.port}`,
    );
  }
  return [...lines, ...rules, 'COMMIT', ''].join('\n');
}

/** Input of `nft -f` that adds Services [from, to): chains, and one element each in the verdict map that is looked up. */
export function nftablesRules(from: number, to: number): string {
  const lines: string[] = [];
  if (from === 0) {
    lines.push(
      'add table ip kube-proxy',
      'add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }',
      'add chain ip kube-proxy services',
      'add chain ip kube-proxy nat-output { type nat hook output priority -100 ; }',
      'add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }',
      'add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips',
      'add rule ip kube-proxy nat-output jump services',
      'add rule ip kube-proxy nat-prerouting jump services',
    );
  }
  const elements: string[] = [];
  for (let index = from; index < to; index++) {
    const [service, endpoint] = [`service-${chainName(index)}`, `endpoint-${chainName(index)}`];
    lines.push(
      `add chain ip kube-proxy ${endpoint}`,
      `add chain ip kube-proxy ${service}`,
      `add rule ip kube-proxy ${endpoint} meta l4proto tcp dnat to ${BACKEND.address}:${BACKEND.port}`,
      `add rule ip kube-proxy ${service} numgen random mod 1 vmap { 0 : goto ${endpoint} }`,
    );
    elements.push(`${serviceAddress(index)} . tcp . ${SERVICE_PORT} : goto ${service}`);
  }
  lines.push(`add element ip kube-proxy service-ips { ${elements.join(', ')} }`, '');
  return lines.join('\n');
}

/** Sixteen characters, as kube-proxy's hashes. */
function chainName(index: number): string {
  return index.toString(36).toUpperCase().padStart(16, 'X');
}
