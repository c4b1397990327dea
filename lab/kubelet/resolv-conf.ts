import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectStore } from '../store/object-store.ts';
import { isPodFinished, type Pod, type Service } from '../store/objects.ts';

export const DNS_NAMESPACE = 'kube-system';
export const DNS_LABEL = { 'k8s-app': 'kube-dns' } as const;

/**
 * The resolv.conf of each namespace's pods. Containers have it mounted over /etc/resolv.conf, so it is rewritten in
 * place when the DNS pod's address changes, never replaced.
 */
export class ResolvConf {
  readonly #dir: string;
  readonly #namespaces = new Set<string>();
  #nameservers: string[] = [];

  constructor(dir: string, store: ObjectStore) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    store.subscribe(({ kind, object }) => {
      if ((kind !== 'Pod' && kind !== 'Service') || object.metadata.namespace !== DNS_NAMESPACE) return;
      const addresses = serviceAddresses(store) ?? dnsAddresses(store.list<Pod>('Pod', DNS_NAMESPACE));
      // While the DNS pod is replaced its last address stays: it may well come back there.
      if (addresses.length === 0 || addresses.join() === this.#nameservers.join()) return;
      this.#nameservers = addresses;
      for (const namespace of this.#namespaces) {
        try {
          this.#write(namespace);
        } catch (error) {
          // A container that starts will ask for it again, and wait until it can be written.
          this.#namespaces.delete(namespace);
          console.error(`resolv.conf of namespace ${namespace}: ${(error as Error).message}`);
        }
      }
    });
  }

  /** Path of the file for pods of a namespace. */
  pathFor(namespace: string): string {
    if (!this.#namespaces.has(namespace)) {
      this.#write(namespace);
      this.#namespaces.add(namespace);
    }
    return join(this.#dir, `${namespace}.conf`);
  }

  #write(namespace: string): void {
    writeFileSync(join(this.#dir, `${namespace}.conf`), resolvConf(namespace, this.#nameservers));
  }
}

export function resolvConf(namespace: string, nameservers: string[]): string {
  const lines = nameservers.map((address) => `nameserver ${address}`);
  lines.push(`search ${namespace}.svc.cluster.local svc.cluster.local cluster.local`, 'options ndots:5');
  return `${lines.join('\n')}\n`;
}

/** The Service's address, in a lab whose agents balance Services. */
function serviceAddresses(store: ObjectStore): string[] | undefined {
  if (store.list('ServiceCIDR').length === 0) return undefined;
  const service = store
    .list<Service>('Service', DNS_NAMESPACE)
    .find(({ metadata }) => metadata.labels?.['k8s-app'] === DNS_LABEL['k8s-app']);
  return service?.spec.clusterIPs;
}

function dnsAddresses(pods: Pod[]): string[] {
  return pods
    .filter((pod) => pod.metadata.labels?.['k8s-app'] === DNS_LABEL['k8s-app'])
    .filter((pod) => !isPodFinished(pod) && !pod.metadata.deletionTimestamp && pod.status.podIP !== undefined)
    .map((pod) => pod.status.podIP!)
    .slice(0, 3); // as many as resolvers look at
}
