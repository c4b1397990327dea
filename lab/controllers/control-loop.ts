import type { ObjectStore } from '../store/object-store.ts';

/** Moves the store's objects of some kinds one step nearer to what other objects ask for. */
export interface Controller {
  /** Kinds whose change may call for work. */
  kinds: readonly string[];
  /** Must change nothing when there is nothing to do, or the loop never rests. */
  reconcile(store: ObjectStore): void;
}

/** Runs controllers after changes, all changes of one turn of the event loop together. */
export class ControlLoop {
  readonly #store: ObjectStore;
  readonly #controllers: readonly Controller[];
  readonly #changed = new Set<string>();
  readonly #unsubscribe: () => void;
  #scheduled = false;

  constructor(store: ObjectStore, controllers: readonly Controller[]) {
    this.#store = store;
    this.#controllers = controllers;
    this.#unsubscribe = store.subscribe(({ kind }) => {
      this.#changed.add(kind);
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#run());
    });
  }

  #run(): void {
    this.#scheduled = false;
    const changed = new Set(this.#changed);
    this.#changed.clear();
    for (const controller of this.#controllers) {
      if (controller.kinds.some((kind) => changed.has(kind))) controller.reconcile(this.#store);
    }
  }

  stop(): void {
    this.#unsubscribe();
    this.#changed.clear();
  }
}
