import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates } from 'node:tls';
import { type ChannelCredentials, experimental, type ServerCredentials } from '@grpc/grpc-js';
import { createLogger, type Logger } from '../log.ts';

export type { ServerCredentials };

/** How often files are looked at for new content, in milliseconds. */
const LOOK_EVERY_MS = 5_000;

/** PEM files of one end of a connection. */
export interface TlsFiles {
  /** Certificate with its chain, and its private key; of a server always, of a client for mutual TLS. */
  readonly certificate?: string;
  readonly key?: string;
  /** Whose certificates the other end's must come from. A client without it trusts those of the system. */
  readonly authorities?: readonly string[];
}

/** Files that cannot be used. The message names them. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code = 'TLS_FILES';
}

/** What makes a client's connections secure. */
export interface ClientSecurity {
  /** Undefined where connections are plain. */
  readonly credentials?: ChannelCredentials;
  /** Shown with every call, as `authorization: Bearer …`; asked each time, for tokens are renewed. */
  readonly token?: () => string;
  /** The name the server's certificate must carry, where it is not the address'. */
  readonly serverName?: string;
}

interface Content {
  readonly authorities: Buffer;
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

/**
 * Certificates from files, read again as they change: new connections take the new ones, open ones stay. What cannot be
 * used is told once and the former content stays in use.
 */
class CertificateFiles implements experimental.CertificateProvider {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #everyMs: number;
  readonly #authorityListeners = new Set<experimental.CaCertificateUpdateListener>();
  readonly #identityListeners = new Set<experimental.IdentityCertificateUpdateListener>();
  #content: Content;
  #timer: NodeJS.Timeout | undefined;
  #complaint = '';

  /** Throws TlsError. */
  constructor(files: TlsFiles, everyMs: number, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#everyMs = everyMs;
    this.#content = readContent(files);
  }

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#authorityListeners.add(listener);
    // Not at once: the library hears only once the call has returned.
    queueMicrotask(() => listener({ caCertificate: this.#content.authorities }));
    this.#watch();
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#authorityListeners.delete(listener);
    this.#watch();
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#identityListeners.add(listener);
    queueMicrotask(() => listener(this.#identity()));
    this.#watch();
  }

  removeIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#identityListeners.delete(listener);
    this.#watch();
  }

  #watch(): void {
    if (this.#authorityListeners.size + this.#identityListeners.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#look(), this.#everyMs);
      this.#timer.unref();
    }
  }

  #look(): void {
    let next: Content;
    try {
      next = readContent(this.#files);
      this.#complaint = '';
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#complaint) this.#log.warn({ err: error }, 'TLS files stay as they were');
      this.#complaint = message;
      return;
    }
    const before = this.#content;
    this.#content = next;
    if (!next.authorities.equals(before.authorities)) {
      for (const listener of this.#authorityListeners) listener({ caCertificate: next.authorities });
    }
    if (!same(next.certificate, before.certificate) || !same(next.key, before.key)) {
      for (const listener of this.#identityListeners) listener(this.#identity());
      this.#log.info('new TLS certificate in use');
    }
  }

  #identity(): experimental.IdentityCertificateUpdate | null {
    const { certificate, key } = this.#content;
    return certificate === undefined || key === undefined ? null : { certificate, privateKey: key };
  }
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.equals(b));
}

/** Reads all files and tries them, so that a half-written pair is never used. */
function readContent({ certificate, key, authorities = [] }: TlsFiles): Content {
  const content = {
    authorities:
      authorities.length === 0
        ? Buffer.from(rootCertificates.join('\n'))
        : Buffer.concat(authorities.flatMap((path) => [read(path), Buffer.from('\n')])),
    certificate: certificate === undefined ? undefined : read(certificate),
    key: key === undefined ? undefined : read(key),
  };
  try {
    createSecureContext({ ca: content.authorities, cert: content.certificate, key: content.key });
  } catch (error) {
    const names = [certificate, key, ...authorities].filter((name) => name !== undefined).join(', ');
    throw new TlsError(`TLS cannot be set up from ${names}: ${(error as Error).message}`);
  }
  return content;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new TlsError(`TLS file ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

export interface TlsOptions {
  readonly lookEveryMs?: number;
  readonly log?: Logger;
}

/** For a server; with authorities, clients must show a certificate of theirs. Throws TlsError. */
export function serverCredentials(
  files: TlsFiles & { readonly certificate: string; readonly key: string },
  { lookEveryMs = LOOK_EVERY_MS, log = createLogger('tls') }: TlsOptions = {},
): ServerCredentials {
  const mutual = (files.authorities?.length ?? 0) > 0;
  const provider = new CertificateFiles(files, lookEveryMs, log);
  // The library's parameters are named the other way round: the first is the server's own certificate.
  return experimental.createCertificateProviderServerCredentials(provider, mutual ? provider : null, mutual);
}

/** For a client. Throws TlsError. */
export function clientSecurity(
  files: TlsFiles,
  serverName?: string,
  { lookEveryMs = LOOK_EVERY_MS, log = createLogger('tls') }: TlsOptions = {},
): ClientSecurity {
  const provider = new CertificateFiles(files, lookEveryMs, log);
  const identity = files.certificate === undefined ? null : provider;
  return { credentials: experimental.createCertificateProviderChannelCredentials(provider, identity), serverName };
}
