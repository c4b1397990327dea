/** What is shown to the API server, and what it is trusted by. PEM. */
export interface ApiCredentials {
  /** Authorities that may vouch for the server; undefined = the system's. */
  readonly authorities?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Without `Bearer`. */
  readonly token?: string;
  /** Name and password, for servers that still take them. */
  readonly basic?: { readonly name: string; readonly password: string };
}

/** Where a cluster's API is and how to be let in. `credentials` is asked before every request: tokens are renewed. */
export interface ApiAccess {
  readonly server: URL;
  /** The namespace that is meant where none is named. */
  readonly namespace: string;
  /** The name in the server's certificate where it is not that of `server`. */
  readonly serverName?: string;
  /** The server's certificate is not checked: only where a kubeconfig says so. */
  readonly insecure: boolean;
  /** Where it comes from, for messages: a path, or `the pod's service account`. */
  readonly origin: string;
  /** @param renew the last ones were not accepted */
  credentials(renew?: boolean): Promise<ApiCredentials>;
}

/** There is no access, or what describes it cannot be used; the message names the file and the field. */
export class ApiAccessError extends Error {
  override readonly name = 'ApiAccessError';
}
