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
        // The form in which people sign in; the page itself has none.
        formAction: ["'self'"],
        objectSrc: ["'none'"],
        frameAncestors: [...frameAncestors],
      },
    },
    crossOriginEmbedderPolicy: false,
    xFrameOptions: frameOptions(frameAncestors),
    // Whoever ends TLS in front decides about it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'same-origin' },
  });
}

/** The older header for the same; it cannot name other origins. */
function frameOptions(frameAncestors: readonly string[]): { action: 'deny' | 'sameorigin' } | false {
  if (frameAncestors.join() === "'none'") return { action: 'deny' };
  return frameAncestors.join() === "'self'" ? { action: 'sameorigin' } : false;
}
