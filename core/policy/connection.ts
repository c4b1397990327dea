import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import type { Peer } from './connection-match.ts';
import type { PolicyDirection } from './endpoint-rules.ts';
import type { Decision } from './evaluate.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { ITSELF } from './reason.ts';

/** One end of a connection. */
export interface Party {
  /** Of a node: host or remote-node, whichever; `node` says which node it is. */
  readonly identity: number;
  /** 4 or 16 bytes, network order. */
  readonly address: Uint8Array | undefined;
  /** The node it is, or runs on; empty where that is not known, and for the world. */
  readonly node: string;
}

export interface Connection {
  readonly source: Party;
  readonly destination: Party;
  /** IP protocol number. */
  readonly protocol: number;
  /** Destination port; ICMP: type. */
  readonly port: number;
}

/** `AUDIT`: goes through, and would not if audited policies were enforced. */
export type ConnectionVerdict = 'FORWARDED' | 'DROPPED' | 'AUDIT';

export interface ConnectionDecision {
  readonly verdict: ConnectionVerdict;
  /** What the source's egress policy says; undefined where the source is no pod. */
  readonly egress: Decision | undefined;
  /** What the destination's ingress policy says, also where egress denies already; undefined where it is no pod. */
  readonly ingress: Decision | undefined;
}

/** Judges a connection at both of its ends: each has to allow it. */
export function evaluateConnection(engine: PolicyEngine, connection: Connection): ConnectionDecision {
  const egress = evaluateEnd(engine, connection, 'egress');
  const ingress = evaluateEnd(engine, connection, 'ingress');
  const ends = [egress, ingress].filter((end) => end !== undefined);
  const denied = ends.some(({ allowed }) => !allowed);
  const audited = ends.some(({ audit }) => audit !== undefined);
  return { verdict: denied ? 'DROPPED' : audited ? 'AUDIT' : 'FORWARDED', egress, ingress };
}

/** The end whose policy is asked, and the other as that end's node sees it. */
export function endOf(connection: Connection, direction: PolicyDirection): { endpoint: Party; peer: Peer } {
  const { source, destination } = connection;
  const [endpoint, other] = direction === 'egress' ? [source, destination] : [destination, source];
  return { endpoint, peer: { identity: identityAt(other, endpoint.node), address: other.address } };
}

function evaluateEnd(engine: PolicyEngine, connection: Connection, direction: PolicyDirection): Decision | undefined {
  const { endpoint, peer } = endOf(connection, direction);
  if (!isPod(engine, endpoint)) return undefined;
  // By the way of a Service, say: it comes back to where it left.
  if (isSame(connection.source, connection.destination)) return { allowed: true, reason: ITSELF, audit: undefined };
  return engine.evaluate(direction, endpoint.identity, peer, connection.protocol, connection.port);
}

function isPod(engine: PolicyEngine, { identity }: Party): boolean {
  const index = engine.index.indexOf(identity);
  return index !== undefined && engine.index.labelSet(index) !== undefined;
}

function isSame(a: Party, b: Party): boolean {
  const [x, y] = [a.address, b.address];
  return (
    x !== undefined && y?.length === x.length && a.identity === b.identity && x.every((byte, at) => byte === y[at])
  );
}

/** A node is `host` to its own pods and `remote-node` to all others. */
function identityAt({ identity, node }: Party, observer: string): number {
  const { host, 'remote-node': remote } = RESERVED_IDENTITY;
  if (identity !== host && identity !== remote) return identity;
  return node !== '' && node === observer ? host : remote;
}
