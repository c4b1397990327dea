import type { Frontend } from '#core/service/service.ts';

interface Owner {
  readonly namespace: string;
  readonly name: string;
  frontends: number;
}

/** Which Service has an address, by any of its ports. */
export class AddressOwners {
  readonly #owners = new Map<string, Owner>();
  #revision = 0;

  /** Rises when an address gets another owner. */
  get revision(): number {
    return this.#revision;
  }

  of(address: string): { readonly namespace: string; readonly name: string } | undefined {
    return this.#owners.get(address);
  }

  add({ address, namespace, service, kind }: Frontend): void {
    // A node keeps its own name, whatever ports of it are Services'.
    if (kind === 'node-port') return;
    const known = this.#owners.get(address);
    if (known !== undefined) known.frontends++;
    else {
      this.#owners.set(address, { namespace, name: service, frontends: 1 });
      this.#revision++;
    }
  }

  /** One frontend of this address less. */
  remove(address: string): void {
    const known = this.#owners.get(address);
    if (known === undefined || --known.frontends > 0) return;
    this.#owners.delete(address);
    this.#revision++;
  }

  clear(): void {
    this.#owners.clear();
  }
}
