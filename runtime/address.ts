import { isIP } from 'node:net';

/** Where a server listens or a client connects: a TCP port of a host, or a unix socket. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What {@link parseAddress} accepts, for messages. */
export const ADDRESS_FORM = 'host:port, [IPv6]:port or unix:/absolute/path';

/**
 * Reads `host:port`, `[v6]:port` or `unix:/path`. Undefined for anything else, a port above 65535 included. IPv4 may stand in
 * brackets too: a manifest that puts in its node's address need not know of which family that is.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path.startsWith('/') ? { kind: 'unix', path } : undefined;
  }
  const colon = text.lastIndexOf(':');
  const portText = text.slice(colon + 1);
  if (colon < 1 || !/^\d{1,5}$/.test(portText) || Number(portText) > 65_535) return undefined;
  const host = text.slice(0, colon);
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1);
    return host.endsWith(']') && isIP(inner) !== 0 ? { kind: 'tcp', host: inner, port: Number(portText) } : undefined;
  }
  return /^[A-Za-z0-9._-]+$/.test(host) ? { kind: 'tcp', host, port: Number(portText) } : undefined;
}

/** As `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** As IPv4 where it is one, and without the name of an interface. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/** True for 127.0.0.0/8, ::1, localhost and unix sockets: only this machine's programs reach it. */
export function isLoopback(address: Address): boolean {
  return address.kind === 'unix' || /^(127\.|::1$|localhost$)/.test(address.host);
}
