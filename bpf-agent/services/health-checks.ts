import { createServer, type Server } from 'node:http';
import type { Service } from '#runtime/cluster/objects.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { ServiceSync } from './service-sync.ts';

interface Listening {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly servers: Server[];
}

/**
 * `healthCheckNodePort`: a load-balancer outside asks each node whether it has a backend of its own, so that it sends clients only
 * there. Answers as kube-proxy does: 200 with the number of backends, 503 when there is none.
 */
export class HealthChecks {
  readonly #source: ClusterSource;
  readonly #node: string;
  readonly #sync: Pick<ServiceSync, 'placed' | 'revision' | 'view'>;
  readonly #listening = new Map<string, Listening>();
  readonly #problems = new Map<string, string>();
  #revision = -1;

  constructor(source: ClusterSource, node: string, sync: Pick<ServiceSync, 'placed' | 'revision' | 'view'>) {
    this.#source = source;
    this.#node = node;
    this.#sync = sync;
    this.settle();
  }

  /** What cannot be listened on, in one line; empty when all can. */
  get problem(): string {
    return this.#problems.values().next().value ?? '';
  }

  /** To be called every second. */
  settle(): void {
    const { revision, view } = this.#sync;
    if (revision === this.#revision && this.#problems.size === 0) return;
    this.#revision = revision;
    const addresses = view.ownAddresses ?? [];
    const wanted = new Map(this.#source.list('Service').flatMap((service) => keyed(service, addresses)));
    for (const [key, listening] of [...this.#listening]) {
      if (wanted.has(key) && !this.#problems.has(key)) continue;
      close(listening);
      this.#listening.delete(key);
    }
    this.#problems.clear();
    for (const [key, { metadata, spec }] of wanted) {
      if (this.#listening.has(key)) continue;
      const { namespace, name } = metadata;
      const port = spec.healthCheckNodePort;
      const servers = addresses.map((address) => this.#listen(key, { namespace, name }, address, port));
      this.#listening.set(key, { namespace, name, port, servers });
    }
  }

  stop(): void {
    for (const listening of this.#listening.values()) close(listening);
    this.#listening.clear();
  }

  #listen(key: string, service: { namespace: string; name: string }, address: string, port: number): Server {
    const server = createServer({ maxHeaderSize: 4_096, requestTimeout: 5_000 }, (_, response) => {
      const localEndpoints = this.#localBackends(service.namespace, service.name);
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
        connection: 'close',
      });
      response.end(JSON.stringify({ service, localEndpoints, serviceProxyHealthy: true }));
    });
    server.maxConnections = 64;
    server.on('error', (error) => {
      const { namespace, name } = service;
      this.#problems.set(
        key,
        `Service ${namespace}/${name}: cannot listen on ${address} port ${port}: ${error.message}`,
      );
    });
    server.listen(port, address);
    return server;
  }

  #localBackends(namespace: string, name: string): number {
    const addresses = new Set<string>();
    for (const { frontend } of this.#sync.placed()) {
      if (frontend.namespace !== namespace || frontend.service !== name || frontend.external === undefined) continue;
      for (const { node, pod, address, terminating } of frontend.external.backends) {
        // A pod counts once, however many addresses it has.
        if (node === this.#node && !terminating) addresses.add(pod || address);
      }
    }
    return addresses.size;
  }
}

function keyed(service: Service, addresses: readonly string[]): [string, Service][] {
  const { type, externalTrafficPolicy, healthCheckNodePort } = service.spec;
  if (type !== 'LoadBalancer' || externalTrafficPolicy !== 'Local' || healthCheckNodePort === 0) return [];
  const { namespace, name } = service.metadata;
  return [[`${namespace}/${name}/${healthCheckNodePort}/${addresses.join()}`, service]];
}

function close({ servers }: Listening): void {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}
