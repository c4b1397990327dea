import type { Endpoint } from '#core/flow/endpoint.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import { reservedIdentities } from '#core/identity/reserved.ts';

/** What of an endpoint can be a label: Hubble's names, to be had as `source_…` and `destination_…`. */
const PARTS: Readonly<Record<string, (endpoint: Endpoint) => string>> = {
  identity: ({ identity, labels }) =>
    identity < 256 ? `reserved:${reservedIdentities.name(identity)}` : labels.join(','),
  namespace: ({ namespace }) => namespace,
  pod: ({ pod, namespace }) => (pod === '' ? '' : `${namespace}/${pod}`),
  workload: ({ workloadName }) => workloadName,
  workload_kind: ({ workloadKind }) => workloadKind,
  app: ({ labels }) => appOf(labels),
  dns: ({ names }) => names.join(','),
  ip: ({ address }) => address,
};

/** Labels that name one pod: their series go with it. */
const OF_ONE_POD = new Set(['pod', 'ip']);

export const CONTEXT_LABELS: readonly string[] = [
  ...['source', 'destination'].flatMap((end) => Object.keys(PARTS).map((part) => `${end}_${part}`)),
  'traffic_direction',
];

/** Values of those labels that are of this end, in their order. */
export function contextValues(labels: readonly string[], end: 'source' | 'destination', endpoint: Endpoint): string[] {
  return partsOf(labels, end).map((part) => PARTS[part](endpoint));
}

/** The pods, `namespace/name`, that the labels name when these are the ends. */
export function podsNamed(labels: readonly string[], source: Endpoint, destination: Endpoint): string[] {
  return (['source', 'destination'] as const).flatMap((end) => {
    const { pod, namespace } = end === 'source' ? source : destination;
    return pod !== '' && partsOf(labels, end).some((part) => OF_ONE_POD.has(part)) ? [`${namespace}/${pod}`] : [];
  });
}

function partsOf(labels: readonly string[], end: 'source' | 'destination'): string[] {
  return labels.filter((label) => label.startsWith(`${end}_`)).map((label) => label.slice(end.length + 1));
}

/** Series of one family, at most, where nobody says otherwise. */
export const DEFAULT_SERIES = 10_000;

/** Number 0 stands for every context beyond the limit. */
const MOST_CONTEXTS = 65_536;
const OVERFLOW = '(other)';

/** One end's labels, as numbers: what is told of an endpoint is looked at once, not per flow. */
export class EndContexts {
  readonly #parts: readonly string[];
  readonly #endpoints: EndpointStore;
  readonly #values: string[][];
  /** By context: the pods that have it, where it names one pod. */
  readonly #pods: string[] = [''];
  readonly #keys: string[] = [''];
  readonly #numbers = new Map<string, number>();
  /** Contexts of pods that are gone, to be given to others. */
  readonly #free: number[] = [];
  #number = new Uint16Array(256);
  #generation = new Float64Array(256);

  constructor(labels: readonly string[], end: 'source' | 'destination', endpoints: EndpointStore) {
    this.#parts = partsOf(labels, end);
    this.#endpoints = endpoints;
    this.#values = [this.#parts.map(() => OVERFLOW)];
  }

  /** The number of an endpoint's labels. */
  of(endpoint: number): number {
    if (this.#parts.length === 0) return 0;
    if (endpoint >= this.#number.length) this.#grow(endpoint);
    const generation = this.#endpoints.generation(endpoint) + 1;
    if (this.#generation[endpoint] !== generation) {
      this.#number[endpoint] = this.#intern(this.#endpoints.get(endpoint));
      this.#generation[endpoint] = generation;
    }
    return this.#number[endpoint];
  }

  /** Values in the order of the labels of this end. */
  values(context: number): readonly string[] {
    return this.#values[context];
  }

  /** Whether these labels name one of these pods. */
  names(context: number, pods: ReadonlySet<string>): boolean {
    return pods.has(this.#pods[context]);
  }

  /** Gives the numbers of these pods to others: to be called when nothing refers to them any more. */
  forget(pods: ReadonlySet<string>): void {
    const gone = new Set<number>();
    for (const [context, pod] of this.#pods.entries()) {
      if (pod === '' || !pods.has(pod)) continue;
      gone.add(context);
      this.#numbers.delete(this.#keys[context]);
      this.#pods[context] = '';
      this.#free.push(context);
    }
    if (gone.size === 0) return;
    // Endpoints that still stand for them are looked at anew.
    for (let endpoint = 0; endpoint < this.#number.length; endpoint++) {
      if (gone.has(this.#number[endpoint])) this.#generation[endpoint] = 0;
    }
  }

  #intern(endpoint: Endpoint): number {
    const values = this.#parts.map((part) => PARTS[part](endpoint));
    const pod =
      this.#parts.some((part) => OF_ONE_POD.has(part)) && endpoint.pod !== ''
        ? `${endpoint.namespace}/${endpoint.pod}`
        : '';
    const key = `${values.join('\0')}\0${pod}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#values.length;
    if (number >= MOST_CONTEXTS) return 0;
    this.#values[number] = values;
    this.#pods[number] = pod;
    this.#keys[number] = key;
    this.#numbers.set(key, number);
    return number;
  }

  #grow(endpoint: number): void {
    const length = Math.max(this.#number.length * 2, this.#endpoints.bound, endpoint + 1);
    const numbers = new Uint16Array(length);
    numbers.set(this.#number);
    this.#number = numbers;
    const generations = new Float64Array(length);
    generations.set(this.#generation);
    this.#generation = generations;
  }
}

function appOf(labels: readonly string[]): string {
  for (const key of ['k8s:app.kubernetes.io/name=', 'k8s:k8s-app=', 'k8s:app=']) {
    const label = labels.find((one) => one.startsWith(key));
    if (label !== undefined) return label.slice(key.length);
  }
  return '';
}
