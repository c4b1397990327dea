import type { EndpointSlice, Pod } from '#runtime/cluster/objects.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** The EndpointSlices of each Service. */
export class SliceBook {
  /** By `namespace/service`, then by name. */
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();

  /** @param service `namespace/name` */
  of(service: string): EndpointSlice[] {
    return [...(this.#slices.get(service)?.values() ?? [])];
  }

  keep(slice: EndpointSlice): void {
    const name = serviceOf(slice);
    const known = this.#slices.get(name) ?? new Map<string, EndpointSlice>();
    known.set(slice.metadata.name, slice);
    this.#slices.set(name, known);
  }

  drop(slice: EndpointSlice): void {
    const name = serviceOf(slice);
    const known = this.#slices.get(name);
    known?.delete(slice.metadata.name);
    if (known?.size === 0) this.#slices.delete(name);
  }

  /** Services that the pod serves, as `namespace/name`. */
  *servedBy({ metadata }: Pod): Generator<string> {
    for (const [name, slices] of this.#slices) {
      const has = [...slices.values()].some(
        (slice) =>
          slice.metadata.namespace === metadata.namespace && slice.endpoints.some(({ pod }) => pod === metadata.name),
      );
      if (has) yield name;
    }
  }
}

/** The Service a slice is of, as `namespace/name`. */
export function serviceOf({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels[SERVICE_NAME_LABEL] ?? ''}`;
}
