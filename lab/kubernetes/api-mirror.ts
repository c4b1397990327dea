import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';
import { kindNamed } from '../manifest/kinds.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { KubeObject, Pod } from '../store/objects.ts';

/**
 * What the API server is told, in the order in which it wants to know. Not ServiceCIDR: the server has its own, of the same ranges.
 */
const MIRRORED = [
  'Namespace',
  'Node',
  'Deployment',
  'ReplicaSet',
  'DaemonSet',
  'Job',
  'Pod',
  'Service',
  'EndpointSlice',
  'NetworkPolicy',
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
];
/** Kinds whose `status` is a resource of its own. */
const WITH_STATUS = ['Node', 'Deployment', 'ReplicaSet', 'DaemonSet', 'Job', 'Pod', 'Service'];

/** As on the API server's copy of a static pod: what the pod is called by the node that runs it. */
const CONFIG_HASH_ANNOTATION = 'kubernetes.io/config.hash';
const FIELD_MANAGER = 'waggle-lab';
const RETRY_MS = 500;
const MOST_TRIES = 20;
const PARALLEL = 8;

interface Task {
  /** Undefined = it is to go. */
  object: KubeObject | undefined;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  tries: number;
}

/**
 * Tells a real API server what a lab's store holds, as kubelets and controllers would: objects are applied and their status
 * set. The server gives every object a uid of its own; pods carry the lab's as a static pod's copy does. One way only: what
 * people apply to the server stays untouched.
 */
export class ApiMirror {
  readonly #client: ApiClient;
  readonly #tasks = new Map<string, Task>();
  /** Which object stands at the server under a name, by the lab's uid. */
  readonly #uids = new Map<string, string>();
  readonly #onProblem: (problem: string) => void;
  readonly #unsubscribe: () => void;
  #working = 0;
  readonly #busy = new Set<string>();
  /** The last of each object: an older one that failed is not told after it. */
  readonly #latest = new Map<string, Task>();
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(client: ApiClient, store: ObjectStore, onProblem: (problem: string) => void) {
    this.#client = client;
    this.#onProblem = onProblem;
    for (const kind of MIRRORED) for (const object of store.list<KubeObject>(kind)) this.#add(object, false);
    this.#unsubscribe = store.subscribe(({ object, removed }) => this.#add(object, removed));
  }

  /** Resolves when everything so far was told. */
  settled(): Promise<void> {
    if (this.#tasks.size === 0 && this.#working === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    this.#tasks.clear();
    this.#client.close();
  }

  #add(object: KubeObject, removed: boolean): void {
    const { kind, metadata } = object;
    if (!MIRRORED.includes(kind)) return;
    // The server wants a pod's node to be set once; before that nobody has a use for it.
    if (kind === 'Pod' && !removed && !(object as Pod).spec.nodeName) return;
    const { namespace, name } = metadata;
    const key = `${kind}/${namespace ?? ''}/${name}`;
    // Moved to the end: what it depends on was told before.
    this.#tasks.delete(key);
    const task = { object: removed ? undefined : object, kind, namespace, name, tries: 0 };
    this.#tasks.set(key, task);
    this.#latest.set(key, task);
    setImmediate(() => this.#work());
  }

  #work(): void {
    for (const [key, task] of this.#tasks) {
      if (this.#stopped || this.#working >= PARALLEL) return;
      // Two tellings of one object keep their order.
      if (this.#busy.has(key)) continue;
      this.#tasks.delete(key);
      this.#busy.add(key);
      this.#working++;
      void this.#tell(key, task)
        .then(() => {
          if (this.#latest.get(key) === task) this.#latest.delete(key);
        })
        .catch((error: unknown) => this.#failed(key, task, error))
        .finally(() => {
          this.#busy.delete(key);
          this.#working--;
          if (this.#tasks.size > 0) this.#work();
          else if (this.#working === 0) for (const resolve of this.#idle.splice(0)) resolve();
        });
    }
  }

  async #tell(key: string, { object, kind, namespace, name }: Task): Promise<void> {
    const path = objectPath(kind, namespace, name);
    if (object === undefined) return this.#remove(key, path);
    const { uid } = object.metadata;
    const standing = this.#uids.get(key);
    // A pod of the same name is another pod.
    if (kind === 'Pod' && standing !== undefined && standing !== uid) await this.#remove(key, path);
    await this.#apply(path, manifestOf(object));
    this.#uids.set(key, uid);
    if (WITH_STATUS.includes(kind) && object.status !== undefined) {
      // No apply: for that, addresses of a node are one per type.
      await this.#client.request('PATCH', `${path}/status`, {
        query: { fieldManager: FIELD_MANAGER },
        contentType: 'application/merge-patch+json',
        body: { status: object.status },
      });
    }
  }

  async #apply(path: string, body: unknown): Promise<void> {
    await this.#client.request('PATCH', path, {
      query: { fieldManager: FIELD_MANAGER, force: true },
      contentType: 'application/apply-patch+yaml',
      body,
    });
  }

  async #remove(key: string, path: string): Promise<void> {
    this.#uids.delete(key);
    try {
      await this.#client.request('DELETE', path, { query: { gracePeriodSeconds: 0, propagationPolicy: 'Background' } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }

  #failed(key: string, task: Task, error: unknown): void {
    if (this.#stopped) return;
    const refused = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
    // Its namespace or kind may be on the way.
    if (++task.tries >= (refused ? 5 : MOST_TRIES)) {
      this.#onProblem((error as Error).message);
      return;
    }
    setTimeout(() => {
      if (this.#stopped || this.#latest.get(key) !== task) return;
      this.#tasks.set(key, task);
      this.#work();
    }, RETRY_MS * task.tries).unref();
  }
}

function objectPath(kind: string, namespace: string | undefined, name: string): string {
  const { apiVersion, plural } = kindNamed(kind);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${plural}/${encodeURIComponent(name)}`;
}

/** Without what is the server's to say. */
function manifestOf(object: KubeObject): object {
  const { status: _, metadata, ...rest } = object;
  const { name, namespace, labels, annotations, ownerReferences, uid } = metadata;
  const marked = object.kind === 'Pod' ? { ...annotations, [CONFIG_HASH_ANNOTATION]: uid } : annotations;
  return { ...rest, metadata: { name, namespace, labels, annotations: marked, ownerReferences } };
}
