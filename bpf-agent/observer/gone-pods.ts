/** Pods are due again after so many times their patience: records of them may come late, as long as their names are known. */
const AGAIN = 3;

/** Remembers pods of the cluster that are gone, until their time has come. Names are `namespace/name`. */
export class GonePods {
  readonly #patienceMs: number;
  #present = new Set<string>();
  /** When they went, and how many times the patience they are waited for. */
  readonly #gone = new Map<string, { readonly atMs: number; readonly times: number }>();

  /** @param patienceMs how long after they went they are due */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Who has an address now; what is no pod has no name. */
  update(owners: Iterable<{ readonly namespace: string; readonly pod: string }>, nowMs = performance.now()): void {
    const present = new Set<string>();
    for (const { namespace, pod } of owners) if (pod !== '') present.add(`${namespace}/${pod}`);
    for (const name of this.#present) if (!present.has(name)) this.#gone.set(name, { atMs: nowMs, times: 1 });
    for (const name of this.#gone.keys()) if (present.has(name)) this.#gone.delete(name);
    this.#present = present;
  }

  /** Those that are due: each twice. */
  due(nowMs = performance.now()): Set<string> {
    const due = new Set<string>();
    for (const [name, { atMs, times }] of this.#gone) {
      if (nowMs - atMs < times * this.#patienceMs) continue;
      due.add(name);
      if (times === AGAIN) this.#gone.delete(name);
      else this.#gone.set(name, { atMs, times: AGAIN });
    }
    return due;
  }
}
