import { isDeepStrictEqual } from 'node:util';
import type { ClusterObject, Kind, Metadata, Pod } from '../cluster/objects.ts';
import { readObject } from '../cluster/read-object.ts';
import type { ApiDocument } from './list-watch.ts';
import { apiVersionOf } from './resources.ts';

// Nobody here reads annotations of other domains; `kubectl apply` leaves a whole manifest in one.
const KEPT_ANNOTATION = /^(?:kubernetes\.io\/config\.hash$|(?:service\.)?waggle\.dev\/)/;
const UNUSED_METADATA = ['managedFields', 'generation', 'resourceVersion', 'selfLink'];
const UNUSED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * From an object of the API what is used of it: nothing is kept alive that nobody reads. Parts that are as in `before` are
 * shared with it, and `before` itself is returned where nothing differs. Throws ObjectError.
 * @param statuses whether the state of containers is wanted
 */
export class ObjectReducer {
  readonly #statuses: boolean;
  /** One object for the labels of all pods of a workload; forgotten when they are many more than in use. */
  #labels = new Map<string, Readonly<Record<string, string>>>();

  constructor({ statuses }: { readonly statuses: boolean }) {
    this.#statuses = statuses;
  }

  reduce(kind: Kind, document: ApiDocument, before: ClusterObject | undefined): ClusterObject {
    // Items of a list say neither kind nor version, and metadata alone says another.
    const { apiVersion = apiVersionOf(kind) } = document;
    const object = readObject(kind, { ...reducedDocument(kind, document), apiVersion, kind });
    const result = this.share(object);
    return before !== undefined && isDeepStrictEqual(before, result) ? before : result;
  }

  /** The same for an object that was read already. */
  share(object: ClusterObject): ClusterObject {
    const shared = { ...object, metadata: this.#metadata(object.metadata) } as ClusterObject;
    return shared.kind === 'Pod' ? this.#pod(shared) : shared;
  }

  #metadata(metadata: Metadata): Metadata {
    const annotations = Object.entries(metadata.annotations).filter(([key]) => KEPT_ANNOTATION.test(key));
    return {
      ...metadata,
      labels: this.#shared(metadata.labels),
      annotations: annotations.length === 0 ? NOTHING : Object.fromEntries(annotations),
      ownerReferences: metadata.ownerReferences.length === 0 ? NONE : metadata.ownerReferences,
    };
  }

  #pod(pod: Pod): Pod {
    const containers = pod.spec.containers.filter(({ ports }) => ports.length > 0);
    return {
      ...pod,
      spec: { ...pod.spec, containers: containers.length === 0 ? NONE : containers },
      status: {
        ...pod.status,
        containerStatuses: this.#statuses ? pod.status.containerStatuses : NONE,
      },
    };
  }

  #shared(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const text = JSON.stringify(labels);
    if (text === '{}') return NOTHING;
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    if (this.#labels.size >= MOST_LABEL_SETS) this.#labels = new Map();
    this.#labels.set(text, labels);
    return labels;
  }
}

const NOTHING: Readonly<Record<string, never>> = Object.freeze({});
const NONE = Object.freeze([]) as readonly never[];
const MOST_LABEL_SETS = 4_096;

/** A policy is kept as it was written, less what the server adds. */
function reducedDocument(kind: Kind, document: ApiDocument): ApiDocument {
  if (!kind.endsWith('NetworkPolicy')) return document;
  const { status: _status, ...written } = document;
  const metadata: Record<string, unknown> & ApiDocument['metadata'] = { ...document.metadata };
  for (const field of UNUSED_METADATA) delete metadata[field];
  const { [UNUSED_ANNOTATION]: _, ...annotations } = (metadata.annotations ?? {}) as Record<string, unknown>;
  return { ...written, metadata: { ...metadata, annotations } };
}
