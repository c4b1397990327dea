import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';

interface EventObject {
  readonly involvedObject: { readonly kind?: string; readonly name?: string };
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
  readonly metadata: { readonly creationTimestamp: string };
}

const MOST_EVENTS = 1_000;
const MOST_SAID = 300;
/** What messages mean that are no help as they are. */
const MEANINGS: readonly { readonly message: RegExp; readonly text: string }[] = [
  {
    message: /\/sys\/fs\/bpf\b.*operation not permitted/,
    text: 'the node has no BPF file system: mount -t bpf bpf /sys/fs/bpf',
  },
  {
    message: /violates PodSecurity/,
    text: 'the namespace does not admit them: kubectl label namespace %NAMESPACE% pod-security.kubernetes.io/enforce=privileged',
  },
];

/** What Kubernetes warns of in a namespace: why pods are not made, or wait for what is to be mounted. */
export class WarningEvents {
  readonly #events: readonly EventObject[];
  readonly #namespace: string;

  private constructor(namespace: string, events: readonly EventObject[]) {
    this.#namespace = namespace;
    this.#events = events;
  }

  /** None where they may not be read: they only say more. Fails with ApiError. */
  static async read(client: ApiClient, namespace: string): Promise<WarningEvents> {
    try {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
      const query = { fieldSelector: 'type=Warning', limit: MOST_EVENTS };
      const { items } = await client.request<{ items: EventObject[] }>('GET', path, { query });
      return new WarningEvents(
        namespace,
        [...items].sort((a, b) => timeOf(b) - timeOf(a)),
      );
    } catch (error) {
      if (error instanceof ApiError && [403, 404].includes(error.status)) return new WarningEvents(namespace, []);
      throw error;
    }
  }

  /** The newest warning of these reasons; undefined where there is none. */
  newest(isAbout: (object: EventObject['involvedObject']) => boolean, reasons: readonly string[]): string | undefined {
    const found = this.#events.find(
      ({ involvedObject, reason = '' }) => reasons.includes(reason) && isAbout(involvedObject),
    );
    if (found === undefined) return undefined;
    const message = (found.message ?? '').replaceAll(/\s+/g, ' ').trim().slice(0, MOST_SAID);
    const meaning = MEANINGS.find((known) => known.message.test(found.message ?? ''))?.text;
    const hint = meaning === undefined ? '' : ` (${meaning.replace('%NAMESPACE%', this.#namespace)})`;
    return `${found.reason}: ${message}${hint}`;
  }
}

function timeOf({ series, lastTimestamp, eventTime, metadata }: EventObject): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}
