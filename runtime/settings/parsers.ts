import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { parseCidr } from '#core/ip/cidr.ts';
import { ADDRESS_FORM, formatAddress, parseAddress } from '../address.ts';

/** Reads a setting's text. Throws {@link InvalidValueError} saying what is accepted. */
export type Parser<T> = (text: string) => T;

export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
  /** What would have been accepted, to follow "expected". */
  readonly expected: string;

  constructor(expected: string) {
    super(`expected ${expected}`);
    this.expected = expected;
  }
}

export const text: Parser<string> = (value) => {
  if (value === '') throw new InvalidValueError('a text that is not empty');
  return value;
};

/** `host:port`, `[v6]:port` or `unix:/path`, normalised. */
export const address: Parser<string> = (value) => {
  const parsed = parseAddress(value);
  if (parsed === undefined) throw new InvalidValueError(ADDRESS_FORM);
  return formatAddress(parsed);
};

/** An absolute path; a relative one is taken from the working directory. */
export const path: Parser<string> = (value) => {
  if (value === '' || value.includes('\0')) throw new InvalidValueError('a path');
  return isAbsolute(value) ? value : resolve(value);
};

export const port: Parser<number> = (value) => {
  const number = Number(value);
  if (!/^\d{1,5}$/.test(value) || number > 65_535) throw new InvalidValueError('a port number from 0 to 65535');
  return number;
};

/** A whole number with `_` allowed between digits and k/M for thousands and millions: `64k`, `1_000`. */
export function count(least = 0, most: number = Number.MAX_SAFE_INTEGER): Parser<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (value) => {
    const match = /^(\d[\d_]{0,15})([kM]?)$/.exec(value);
    const number = match === null ? Number.NaN : Number(match[1]?.replaceAll('_', '')) * COUNT_UNITS[match[2] ?? '']!;
    if (!(number >= least && number <= most))
      throw new InvalidValueError(`a whole number ${range}, such as 500, 64k or 2M`);
    return number;
  };
}

const COUNT_UNITS: Record<string, number> = { '': 1, k: 1_000, M: 1_000_000 };

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds, from `250ms`, `10s`, `1.5m`, `2h`. A unit is required: a bare number would be read as either. */
export function duration(leastMs = 0, mostMs = 365 * 24 * 3_600_000): Parser<number> {
  return (value) => {
    const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(value);
    const milliseconds = match === null ? Number.NaN : Number(match[1]) * DURATION_UNITS[match[2]!]!;
    if (!(milliseconds >= leastMs && milliseconds <= mostMs)) {
      const range = `from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
      throw new InvalidValueError(`a duration ${range}, such as 500ms, 10s or 5m`);
    }
    return milliseconds;
  };
}

/** `1500` → `1500ms`, `60000` → `1m`: the largest unit that gives a whole number. */
export function formatDuration(milliseconds: number): string {
  for (const [unit, size] of Object.entries(DURATION_UNITS).reverse()) {
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}

const BYTE_UNITS: Record<string, number> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 };

/** Bytes, in Kubernetes' units: `4Mi`, `64Ki`, `1G`, `65536`. */
export function bytes(least = 0, most: number = Number.MAX_SAFE_INTEGER): Parser<number> {
  return (value) => {
    const match = /^(\d{1,15})(Ki|Mi|Gi|k|M|G|)$/.exec(value);
    const number = match === null ? Number.NaN : Number(match[1]) * BYTE_UNITS[match[2] ?? '']!;
    if (!(number >= least && number <= most)) {
      throw new InvalidValueError(`a size of at least ${least} bytes, such as 65536, 64Ki or 4Mi`);
    }
    return number;
  };
}

/** One of these words, in this letter case. */
export function oneOf<T extends string>(...choices: readonly T[]): Parser<T> {
  return (value) => {
    if (!(choices as readonly string[]).includes(value)) throw new InvalidValueError(`one of ${choices.join(', ')}`);
    return value as T;
  };
}

/** A Kubernetes object name (DNS-1123 label): also safe as a file name. */
export const objectName: Parser<string> = (value) => {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) {
    throw new InvalidValueError('a name of at most 63 lower-case letters, digits and "-"');
  }
  return value;
};

/** A DNS name or an IP address as a Host header has it, without a port: `waggle.example.com`, `10.0.0.7`. */
export const hostName: Parser<string> = (value) => {
  const name = value.toLowerCase();
  const known = isIP(name) !== 0 || /^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(name);
  if (!known) throw new InvalidValueError('a host name without scheme and port, such as waggle.example.com');
  return name;
};

/** Whose pages: an origin such as `https://portal.example.com:8443`, or CSP's own words `'self'` and `'none'`. */
export const origin: Parser<string> = (value) => {
  if (value === "'self'" || value === "'none'") return value;
  // What a Content-Security-Policy could take for more than an origin must not get into one.
  if (!/^https?:\/\/(?:\*\.)?[a-z0-9_.-]{1,253}(?::(?:\d{1,5}|\*))?$/i.test(value)) {
    throw new InvalidValueError("an origin such as https://portal.example.com, 'self' or 'none'");
  }
  return value.toLowerCase();
};

/** A range of addresses in its canonical text: `10.0.0.0/8`, `fd00::/64`. */
export const cidr: Parser<string> = (value) => {
  const range = value.includes('/') ? parseCidr(value) : undefined;
  if (range === undefined) throw new InvalidValueError('a range of addresses such as 10.244.0.0/16 or fd00::/48');
  return range.text;
};

/** Comma-separated; spaces around items and empty items fall away. */
export function listOf<T>(parser: Parser<T>): Parser<T[]> {
  return (value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map(parser);
}
