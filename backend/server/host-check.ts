import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { forwardedOf } from '../auth/forwarded.ts';

/**
 * Refuses requests that a web page of somebody else could have caused. A name an attacker owns may be made to point at this
 * server (DNS rebinding), so only known names are answered; and what a browser marks as coming from another site is refused.
 */
export function hostCheck(allowedHosts: readonly string[]): RequestHandler {
  const isKnown = knownHost(allowedHosts);
  return (request, response, next) => {
    const { host } = forwardedOf(response);
    if (!isKnown(request, host)) {
      response
        .status(421)
        .type('text/plain')
        .send('This name is not served here. If it should be, start the backend with --allowed-host and the name.\n');
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !sameOrigin(origin, host!)) {
      refuse(response);
      return;
    }
    // A person may follow a link from anywhere; nothing else comes from other sites.
    const site = request.headers['sec-fetch-site'];
    const navigates = request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate';
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigates) {
      refuse(response);
      return;
    }
    next();
  };
}

/** Whether a request asks for this server by a name that nobody else could have pointed here. */
export function knownHost(allowedHosts: readonly string[]): (request: IncomingMessage, host?: string) => boolean {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  return ({ headers, socket }, host = headers.host) => {
    const name = host === undefined ? undefined : hostName(host);
    return name !== undefined && (isLoopbackName(name) || allowed.has(name) || isOwnAddress(name, socket));
  };
}

function refuse(response: Parameters<RequestHandler>[1]): void {
  response.status(403).type('text/plain').send('Requests from other sites are refused.\n');
}

/** Host and port must agree; the scheme may differ behind a proxy that ends TLS. */
function sameOrigin(origin: string, host: string): boolean {
  if (!/^https?:\/\/[^/?#@\\]+$/i.test(origin)) return false;
  return origin.slice(origin.indexOf('//') + 2).toLowerCase() === host.toLowerCase();
}

/** The name in a Host header, without port and brackets; undefined when it is malformed. */
export function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(host);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase();
  return name?.endsWith('.') ? name.slice(0, -1) : name;
}

/** The address the request came to: no name, so nothing was rebound. */
function isOwnAddress(name: string, socket: Socket): boolean {
  return isIP(name) !== 0 && socket.localAddress?.replace(/^::ffff:/, '') === name;
}

function isLoopbackName(name: string): boolean {
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}
