import { create } from '@bufbuild/protobuf';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import {
  type ListNamespacesResponse,
  ListNamespacesResponseSchema,
  NamespaceSchema,
} from '#proto/gen/waggle/v1/view_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';

/** How long a namespace that only flows tell of is listed after the last of them. */
const SEEN_FOR_MS = 60 * 60_000;

/** The namespaces there are: of the cluster's state, and those that flows named in the last hour. */
export class Namespaces {
  readonly #window: FlowWindow;
  readonly #source: ClusterSource | undefined;
  readonly #names: { cluster: string; name: string; seenMs: number }[] = [];
  readonly #numbers = new Map<string, number>();
  // By endpoint number: the namespace's number plus one, and the generation (plus one) it was looked up for.
  readonly #namespace: number[] = [];
  readonly #generation: number[] = [];

  constructor(relay: MergedFlows, source?: ClusterSource) {
    this.#window = relay.window;
    this.#source = source;
    relay.onRows((from, to) => this.#rows(from, to));
  }

  list(): ListNamespacesResponse {
    const listed = new Map<string, { cluster: string; name: string; pods: number; labels: string[] }>();
    const since = Date.now() - SEEN_FOR_MS;
    for (const { cluster, name, seenMs } of this.#names) {
      if (seenMs >= since) listed.set(`${cluster}/${name}`, { cluster, name, pods: 0, labels: [] });
    }
    // The folder does not say which cluster it describes; flows do.
    const cluster =
      this.#names.find(({ name }) => this.#source?.get('Namespace', '', name) !== undefined)?.cluster ?? '';
    for (const { metadata } of this.#source?.list('Namespace') ?? []) {
      const labels = Object.entries(metadata.labels).map(([key, value]) => `${key}=${value}`);
      listed.set(`${cluster}/${metadata.name}`, { cluster, name: metadata.name, pods: 0, labels: labels.sort() });
    }
    for (const { metadata, status } of this.#source?.list('Pod') ?? []) {
      const namespace = listed.get(`${cluster}/${metadata.namespace}`);
      if (namespace !== undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed') namespace.pods++;
    }
    const namespaces = [...listed.values()]
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.cluster < b.cluster ? -1 : 1))
      .map((namespace) => create(NamespaceSchema, namespace));
    return create(ListNamespacesResponseSchema, { namespaces });
  }

  #rows(from: number, to: number): void {
    const { columns } = this.#window;
    const now = Date.now();
    for (let position = from; position < to; position++) {
      const row = this.#window.slot(position);
      this.#see(columns.source[row], now);
      this.#see(columns.destination[row], now);
    }
  }

  #see(endpoint: number, now: number): void {
    const { endpoints } = this.#window;
    if (this.#generation[endpoint] !== endpoints.generation(endpoint) + 1) {
      this.#generation[endpoint] = endpoints.generation(endpoint) + 1;
      const { cluster, namespace } = endpoints.get(endpoint);
      this.#namespace[endpoint] = namespace === '' ? 0 : this.#number(cluster, namespace) + 1;
    }
    const number = this.#namespace[endpoint];
    if (number > 0) this.#names[number - 1].seenMs = now;
  }

  #number(cluster: string, name: string): number {
    const key = `${cluster}/${name}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#names.push({ cluster, name, seenMs: 0 }) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}
