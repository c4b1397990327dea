/** What stands in the place of a value that is not told. The same word as Hubble's own redaction has. */
export const REDACTED = 'HUBBLE_REDACTED';

/** Which values of layer 7 are told although they may be credentials. */
export interface Redaction {
  /** Whether the value of this header is told, whatever its name sounds like. Names of headers have no case. */
  allowsHeader(name: string): boolean;
  /** Whether the value of this query parameter is told. Compared as it stands in the URL: `%61` is not `a`. */
  allowsQuery(name: string): boolean;
}

/** @param allowed names of headers and query parameters whose values are told; by default none */
export function redaction({
  headers = [],
  query = [],
}: {
  readonly headers?: readonly string[];
  readonly query?: readonly string[];
} = {}): Redaction {
  const headerNames = new Set(headers.map((name) => name.toLowerCase()));
  const queryNames = new Set(query);
  return {
    allowsHeader: (name) => headerNames.has(name.toLowerCase()),
    allowsQuery: (name) => queryNames.has(name),
  };
}
