import type { FlowWindow } from '#core/flow/flow-window.ts';

/** How long a namespace is known after the last flow that named it. */
const SEEN_FOR_MS = 60 * 60_000;
const LOOK_EVERY_MS = 10_000;
/** Beyond it, namespaces are not remembered longer than the window holds them. */
const MOST_NAMESPACES = 16_384;

export interface SeenNamespace {
  readonly cluster: string;
  readonly namespace: string;
}

/** The namespaces that flows named within the last hour, also when the window no longer holds those flows. */
export class SeenNamespaces {
  readonly #window: FlowWindow;
  readonly #seen = new Map<string, SeenNamespace & { atMs: number }>();
  readonly #timer: NodeJS.Timeout;
  /** By endpoint number: 1 = this look has counted it. Numbers keep their meaning while one look lasts. */
  #counted = new Uint8Array(0);
  #position = 0;

  constructor(window: FlowWindow) {
    this.#window = window;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  list(): SeenNamespace[] {
    this.#look();
    return [...this.#seen.values()]
      .map(({ cluster, namespace }) => ({ cluster, namespace }))
      .sort((a, b) => compare(a.cluster, b.cluster) || compare(a.namespace, b.namespace));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { columns, endpoints, start, end } = this.#window;
    const nowMs = Date.now();
    if (this.#counted.length < endpoints.bound) this.#counted = new Uint8Array(endpoints.bound * 2);
    else this.#counted.fill(0);
    for (let position = Math.max(this.#position, start); position < end; position++) {
      const slot = this.#window.slot(position);
      for (const number of [columns.source[slot], columns.destination[slot]]) {
        if (this.#counted[number] === 1) continue;
        this.#counted[number] = 1;
        const { cluster, namespace } = endpoints.get(number);
        const key = `${cluster}/${namespace}`;
        if (namespace === '' || (this.#seen.size >= MOST_NAMESPACES && !this.#seen.has(key))) continue;
        this.#seen.set(key, { cluster, namespace, atMs: nowMs });
      }
    }
    this.#position = end;
    for (const [key, { atMs }] of this.#seen) if (nowMs - atMs > SEEN_FOR_MS) this.#seen.delete(key);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
