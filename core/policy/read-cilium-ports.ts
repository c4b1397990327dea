import { PROTOCOL } from '../flow/protocol.ts';
import type { Path } from '../manifest/document.ts';
import type { PolicyCheck } from './finding.ts';
import { ICMP_TYPES } from './icmp-type.ts';
import type { PortMatch } from './policy.ts';
import { checkLayer7 } from './read-layer7.ts';

/** Cilium's limit, for ports and for ICMP types of one entry. */
const MAX_PORTS = 40;

// ANY is every protocol that has ports.
const PROTOCOLS: Readonly<Record<string, readonly number[]>> = {
  TCP: [PROTOCOL.TCP],
  UDP: [PROTOCOL.UDP],
  SCTP: [PROTOCOL.SCTP],
  ICMP: [PROTOCOL.ICMPv4],
  ICMPV6: [PROTOCOL.ICMPv6],
  VRRP: [PROTOCOL.VRRP],
  IGMP: [PROTOCOL.IGMP],
  ANY: [PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP],
};

/** Ports of all entries of `toPorts`; an entry without ports matches none. */
export function readToPorts(check: PolicyCheck, path: Path, ingress: boolean, deny: boolean): PortMatch[] {
  const ports: PortMatch[] = [];
  const fields = deny ? ['ports'] : ['ports', 'rules', 'terminatingTLS', 'originatingTLS', 'serverNames', 'listener'];
  check.each(path, (entry) => {
    if (!check.fields(entry, fields, true)) return;
    const count = check.list([...entry, 'ports'])?.length ?? 0;
    if (count === 0) check.report('WP111', entry, 'has no ports, so it matches none');
    if (count > MAX_PORTS) check.fail([...entry, 'ports'], `has ${count} entries; at most ${MAX_PORTS} are possible`);
    const mine: PortMatch[] = [];
    check.each([...entry, 'ports'], (at) => mine.push(...readPort(check, at)));
    checkLayer7(check, entry, ingress, mine);
    ports.push(...mine);
  });
  return ports;
}

/** Port 0 is every port of the protocol. */
function readPort(check: PolicyCheck, path: Path): PortMatch[] {
  if (!check.fields(path, ['port', 'endPort', 'protocol'], true)) return [];
  const protocols = readProtocol(check, [...path, 'protocol']);
  const text = check.text([...path, 'port'], true);
  if (text === undefined || protocols === undefined) return [];
  if (isServiceName(text)) {
    if (check.has([...path, 'endPort'])) check.fail([...path, 'endPort'], 'needs a port number to begin with');
    return protocols.map((protocol) => ({ kind: 'named', protocol, name: text.toLowerCase() }));
  }
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    check.fail([...path, 'port'], `"${text.slice(0, 60)}" is neither a port from 0 to 65535 nor a port name`);
    return [];
  }
  const first = Number(text);
  const asked = check.integer([...path, 'endPort'], 0, 65_535) ?? 0;
  if (asked !== 0 && asked < first) check.fail([...path, 'endPort'], `${asked} is less than the port, ${first}`);
  const last = first === 0 && asked === 0 ? 65_535 : Math.max(first, asked);
  return protocols.map((protocol) => ({ kind: 'range', protocol, first, last }));
}

function readProtocol(check: PolicyCheck, path: Path): readonly number[] | undefined {
  const written = check.text(path)?.toUpperCase() || 'ANY';
  if (Object.hasOwn(PROTOCOLS, written)) return PROTOCOLS[written];
  check.fail(path, `must be ${Object.keys(PROTOCOLS).join(', ')}, not "${written.slice(0, 60)}"`);
  return undefined;
}

/** RFC 6335: up to 15 letters, digits and single hyphens, with a letter among them. */
function isServiceName(text: string): boolean {
  return text.length <= 15 && /^[a-z0-9](?:-?[a-z0-9])*$/i.test(text) && /[a-z]/i.test(text);
}

/** Types of all entries of `icmps`, of the family each names. */
export function readIcmps(check: PolicyCheck, path: Path): PortMatch[] {
  const types: PortMatch[] = [];
  check.each(path, (entry) => {
    if (!check.fields(entry, ['fields'], true)) return;
    const count = check.list([...entry, 'fields'])?.length ?? 0;
    if (count === 0) check.report('WP111', entry, 'has no fields, so it matches none');
    if (count > MAX_PORTS) check.fail([...entry, 'fields'], `has ${count} entries; at most ${MAX_PORTS} are possible`);
    check.each([...entry, 'fields'], (at) => {
      const match = readIcmpType(check, at);
      if (match !== undefined) types.push(match);
    });
  });
  return types;
}

/** A number, its digits as a text, or one of Cilium's names for a type. */
function readIcmpType(check: PolicyCheck, path: Path): PortMatch | undefined {
  if (!check.fields(path, ['family', 'type'], true)) return undefined;
  check.oneOf([...path, 'family'], ['IPv4', 'IPv6']);
  const family = check.at([...path, 'family']) === 'IPv6' ? 'IPv6' : 'IPv4';
  const written = check.at([...path, 'type']);
  const type =
    typeof written === 'number'
      ? check.integer([...path, 'type'], 0, 255)
      : typeof written === 'string'
        ? icmpType(family, written)
        : undefined;
  if (type === undefined) {
    if (typeof written !== 'number') check.fail([...path, 'type'], `is no ICMP type of ${family}`);
    return undefined;
  }
  const protocol = family === 'IPv6' ? PROTOCOL.ICMPv6 : PROTOCOL.ICMPv4;
  return { kind: 'range', protocol, first: type, last: type };
}

function icmpType(family: 'IPv4' | 'IPv6', text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= 255 ? Number(text) : undefined;
  return Object.hasOwn(ICMP_TYPES[family], text) ? ICMP_TYPES[family][text] : undefined;
}
