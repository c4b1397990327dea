import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

/** What can go wrong when the kernel is asked for something. Each code has one fix, named in the message. */
export type LoaderErrorCode =
  | 'libbpf-missing'
  | 'object-missing'
  | 'object-refused'
  | 'map-failed'
  | 'attach-failed'
  | 'interface-gone'
  | 'pin-failed'
  | 'namespace-failed'
  | 'ring-failed'
  | 'netlink-failed'
  | 'run-failed';

/** An expected failure of the loader. `errno` is the positive error number when the kernel gave one. */
export class LoaderError extends Error {
  readonly code: LoaderErrorCode;
  readonly errno: number | undefined;

  constructor(code: LoaderErrorCode, message: string, errno?: number) {
    super(errno === undefined ? message : `${message}: ${errnoText(errno)}`);
    this.name = 'LoaderError';
    this.code = code;
    this.errno = errno;
  }
}

/** `ENOENT, no such file or directory`, or the bare number where the system has no name for it. */
export function errnoText(errno: number): string {
  const number = -Math.abs(errno);
  try {
    return `${getSystemErrorName(number)}, ${getSystemErrorMessage(number)}`;
  } catch {
    return `error ${-number}`;
  }
}
