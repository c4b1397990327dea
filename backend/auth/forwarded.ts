import type { RequestHandler, Response } from 'express';
import { parseAddress } from '#core/ip/address.ts';
import { type Cidr, cidrHas } from '#core/ip/cidr.ts';
import { plainAddress } from '#runtime/address.ts';

/** How a request reached this server, as far as whoever passed it on may be believed. */
export interface Forwarded {
  /** Address of the browser, or of who stands nearest before the trusted proxies. */
  readonly client: string;
  /** The browser spoke HTTPS. */
  readonly secure: boolean;
  /** The Host the browser asked for; undefined when it named none. */
  readonly host: string | undefined;
  /** Path under which the page is served, with a slash at both ends: `/`, `/waggle/`. */
  readonly base: string;
  /** It came directly from a trusted proxy. */
  readonly trusted: boolean;
}

const PREFIX = /^(?:\/[\w.~-]{1,100}){1,10}\/?$/;

/**
 * Works out {@link Forwarded}, and takes the base path off the request. What headers say counts only when they come from a
 * trusted proxy: anyone can write them.
 *
 * @param basePath `/`, or a path with a slash at both ends
 */
export function readForwarded(trustedProxies: readonly Cidr[], basePath: string): RequestHandler {
  const trusts = (address: string) => isIn(trustedProxies, address);
  return (request, response, next) => {
    const peer = plainAddress(request.socket.remoteAddress ?? '');
    const trusted = trusts(peer);
    const said = (name: string) => (trusted ? request.get(name)?.split(',')[0]?.trim() : undefined) || undefined;
    const prefix = said('x-forwarded-prefix');
    let base = basePath;
    if (prefix !== undefined && PREFIX.test(prefix)) base = prefix.endsWith('/') ? prefix : `${prefix}/`;
    const forwarded: Forwarded = {
      client: trusted ? nearest(request.get('x-forwarded-for'), trusts, peer) : peer,
      secure: said('x-forwarded-proto')?.toLowerCase() === 'https' || 'encrypted' in request.socket,
      host: said('x-forwarded-host') ?? request.headers.host,
      base,
      trusted,
    };
    response.locals.forwarded = forwarded;
    // A proxy that passes the whole path on, and one that takes the prefix off, both lead here.
    for (const own of new Set([base, basePath])) {
      if (own === '/') continue;
      const [path = ''] = request.url.split('?', 1);
      if (path === own.slice(0, -1)) {
        response.redirect(308, `${own}${request.url.slice(path.length)}`);
        return;
      }
      if (!path.startsWith(own)) continue;
      request.url = request.url.slice(own.length - 1);
      break;
    }
    next();
  };
}

export function forwardedOf(response: Response): Forwarded {
  return response.locals.forwarded as Forwarded;
}

/** `https://waggle.example`, as the browser knows it. */
export function pageOrigin({ secure, host }: Forwarded): string {
  return `${secure ? 'https' : 'http'}://${host}`;
}

/** Of the addresses a request passed, the last that is none of the trusted: those before it may be made up. */
function nearest(header: string | undefined, trusts: (address: string) => boolean, peer: string): string {
  let client = peer;
  for (const hop of (header ?? '').split(',').reverse().slice(0, 20)) {
    const address = plainAddress(hop.trim());
    if (parsed(address) === undefined) break;
    client = address;
    if (!trusts(address)) break;
  }
  return client;
}

export function isIn(ranges: readonly Cidr[], address: string): boolean {
  const bytes = parsed(address);
  return bytes !== undefined && ranges.some((range) => cidrHas(range, bytes));
}

function parsed(address: string): Uint8Array | undefined {
  try {
    return parseAddress(address);
  } catch {
    return undefined;
  }
}
