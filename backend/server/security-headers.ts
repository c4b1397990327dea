import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Headers that keep a browser from running or loading anything but the page's own files.
 *
 * @param frameAncestors who may show the page in a frame: `'none'`, `'self'`, or origins
 */
export function securityHeaders(frameAncestors: readonly string[]): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        workerSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: [...frameAncestors],
      },
    },
    crossOriginEmbedderPolicy: false,
    // Where framing is allowed, X-Frame-Options could not say by whom.
    xFrameOptions: frameAncestors.join() === "'none'" ? { action: 'deny' } : false,
    // Whoever ends TLS in front decides about it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'same-origin' },
  });
}
