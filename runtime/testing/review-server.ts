import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiClient } from '../kubernetes/api-client.ts';

export interface ReviewedPerson {
  readonly user: string;
  readonly groups?: readonly string[];
}

/** A server that answers TokenReviews and SubjectAccessReviews as an API server does, from two tables. */
export class ReviewServer {
  /** By token. */
  readonly tokens = new Map<string, ReviewedPerson>();
  /** By user or group: namespaces whose pods they may get; `*` for all. */
  readonly grants = new Map<string, Set<string>>();
  /** What it was asked, as `path user namespace`. */
  readonly asked: string[] = [];
  /** Answers everything with 500. */
  broken = false;
  readonly #server: Server;
  #client: ApiClient | undefined;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await read(request);
      const { spec } = JSON.parse(body);
      const status = request.url?.endsWith('/tokenreviews') ? this.#token(spec.token) : this.#access(spec);
      response
        .writeHead(this.broken ? 500 : 201, { 'content-type': 'application/json' })
        .end(JSON.stringify(this.broken ? { message: 'etcd is gone' } : { status }));
    });
  }

  async start(): Promise<ApiClient> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#client = new ApiClient({
      server: new URL(this.url),
      namespace: 'default',
      insecure: false,
      origin: 'a test',
      credentials: async () => ({}),
    });
    return this.#client;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As `--kubeconfig` names it. */
  get kubeconfig(): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: this.url } }],
      users: [{ name: 'test', user: { token: 'of the backend' } }],
    });
  }

  grant(who: string, ...namespaces: string[]): void {
    this.grants.set(who, new Set(namespaces));
  }

  async stop(): Promise<void> {
    this.#client?.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #token(token: string) {
    this.asked.push('token');
    const person = this.tokens.get(token);
    if (person === undefined) return { authenticated: false };
    return { authenticated: true, user: { username: person.user, groups: person.groups ?? [] } };
  }

  #access({ user, groups, resourceAttributes }: AccessSpec) {
    const { namespace = '*', verb, resource } = resourceAttributes;
    this.asked.push(`access ${user} ${namespace}`);
    const granted = [user, ...(groups ?? [])].some((who) => {
      const namespaces = this.grants.get(who);
      return namespaces?.has('*') || namespaces?.has(namespace);
    });
    return { allowed: granted && verb === 'get' && resource === 'pods' };
  }
}

interface AccessSpec {
  readonly user: string;
  readonly groups?: string[];
  readonly resourceAttributes: { readonly namespace?: string; readonly verb: string; readonly resource: string };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
