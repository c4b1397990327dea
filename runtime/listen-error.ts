import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** Why a server could not listen, in words for the person who started it. `code` is the system's: EADDRINUSE, EACCES, … */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  readonly address: string;

  constructor(code: string, address: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.address = address;
  }
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'is already in use by another program',
  EADDRNOTAVAIL: 'is not an address of this machine',
  EACCES: 'is not allowed for this user',
  ENOENT: 'has no such folder',
  ENOTFOUND: 'is not a known host name',
};

/**
 * Names the address and the setting that changes it.
 *
 * @param setting how to choose another one, e.g. `--listen or WAGGLE_LISTEN`
 */
export function listenError(error: unknown, address: string, setting: string): ListenError {
  const message = error instanceof Error ? error.message : String(error);
  // grpc-js folds the system's error into its own text, so the code is looked for there as well.
  const code = (error as { code?: unknown }).code;
  const told = typeof code === 'string' ? code : (/\bE[A-Z]{3,}\b/.exec(message)?.[0] ?? 'EUNKNOWN');
  // A socket in a folder that does not exist is refused as if it were forbidden.
  const found = told === 'EACCES' && inMissingFolder(address) ? 'ENOENT' : told;
  const reason = REASONS[found] ?? `cannot be listened on (${message})`;
  return new ListenError(found, address, `${address} ${reason}; choose another with ${setting}`, { cause: error });
}

function inMissingFolder(address: string): boolean {
  return address.startsWith('unix:') && !existsSync(dirname(address.slice('unix:'.length)));
}
