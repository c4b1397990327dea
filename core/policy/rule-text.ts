import { PROTOCOL, protocols } from '../flow/protocol.ts';
import type { PolicyDirection } from './endpoint-rules.ts';
import type { PeerMatch, PortMatch, Rule } from './policy.ts';
import { selectorText } from './selector.ts';

/** What a rule says, for people: `from role=frontend of namespace stars, on TCP 6379`. */
export function ruleSummary({ peers, ports }: Rule, direction: PolicyDirection): string {
  const who = peers === undefined ? 'anybody' : peers.length === 0 ? 'nobody' : peers.map(peerText).join(' or ');
  return `${direction === 'ingress' ? 'from' : 'to'} ${who}, on ${portsText(ports)}`;
}

export function peerText(peer: PeerMatch): string {
  switch (peer.kind) {
    case 'everybody':
      return 'anybody';
    case 'cluster':
      return 'the cluster';
    case 'labels':
      return selectorText(peer.selector);
    case 'cidr': {
      const except = peer.except.length === 0 ? '' : ` except ${peer.except.map(({ text }) => text).join(', ')}`;
      return `${peer.cidr.text}${except}`;
    }
    case 'service': {
      const what = peer.name ?? `with ${selectorText(peer.labels ?? { requirements: [], key: '' })}`;
      return `Service ${peer.namespace === undefined ? what : `${peer.namespace}/${what}`}`;
    }
  }
}

function portsText(ports: readonly PortMatch[] | undefined): string {
  if (ports === undefined) return 'any port';
  return ports.length === 0 ? 'no port' : [...new Set(ports.map(portText))].join(', ');
}

/** `TCP 80`, `UDP 1000-2000`, `TCP http`, `any TCP port`, `ICMPv4 type 8` */
function portText(port: PortMatch): string {
  const protocol = protocols.name(port.protocol);
  if (port.kind === 'named') return `${protocol} ${port.name}`;
  if (port.protocol === PROTOCOL.ICMPv4 || port.protocol === PROTOCOL.ICMPv6) return `${protocol} type ${port.first}`;
  if (port.first === 0 && port.last === 65_535) return `any ${protocol} port`;
  return `${protocol} ${port.first === port.last ? port.first : `${port.first}-${port.last}`}`;
}
