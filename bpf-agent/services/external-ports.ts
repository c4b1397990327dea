import { readFileSync } from 'node:fs';

/** Where a node stands in for clients, it needs ports that no socket of its own is given. */
export interface ExternalPorts {
  readonly firstPort: number;
  readonly ports: number;
  /** What is wrong with them, in one line; empty when nothing is. */
  readonly problem: string;
}

/** Above the range Linux gives to clients by default: what its masquerading has always taken. */
const PREFERRED = { first: 61_000, last: 65_535 };
/** Below, node ports and what listens are likelier to be met. */
const LOWEST = 10_000;
/** Connections to one port of one backend elsewhere that a node has to be able to stand in for. */
const ENOUGH = 2_048;

/**
 * The widest gap beside what the kernel gives to sockets by itself (`ip_local_port_range`, less what is reserved in
 * `ip_local_reserved_ports`), node ports left out.
 * @param range as the kernel prints it: `32768	60999`
 * @param reserved as the kernel prints it: `8080,61000-65535`, or empty
 */
export function externalPorts(range: string, reserved: string): ExternalPorts {
  const [first = 0, last = 0] = range.trim().split(/\s+/).map(Number);
  const given = new Uint8Array(65_536);
  given.fill(1, first, last + 1);
  for (const part of reserved.trim().split(',')) {
    const [from, to = from] = part.split('-').map(Number);
    if (part !== '' && from !== undefined && to !== undefined) given.fill(0, from, to + 1);
  }
  given.fill(1, 30_000, 32_768);
  let best = { firstPort: 0, ports: 0 };
  for (let port = LOWEST; port < 65_536; ) {
    const start = port;
    while (port < 65_536 && given[port] === 0) port++;
    if (port - start > best.ports || (start === PREFERRED.first && port - start >= ENOUGH)) {
      best = { firstPort: start, ports: port - start };
    }
    port++;
  }
  if (best.ports >= ENOUGH) return { ...best, problem: '' };
  const { first: firstPort, last: lastPort } = PREFERRED;
  return {
    firstPort,
    ports: lastPort - firstPort + 1,
    problem: `ports ${firstPort}-${lastPort}, under which the node stands in for clients of Services, may be given to its own sockets: set net.ipv4.ip_local_reserved_ports=${firstPort}-${lastPort}`,
  };
}

/** Of this network namespace. */
export function ownExternalPorts(procRoot = '/proc'): ExternalPorts {
  const read = (name: string) => {
    try {
      return readFileSync(`${procRoot}/sys/net/ipv4/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  return externalPorts(read('ip_local_port_range') || '32768 60999', read('ip_local_reserved_ports'));
}
