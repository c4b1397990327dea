import { READY } from '../worker/ready.ts';

/** A worker, or the port to one that tabs share. */
export interface Outlet<In> {
  postMessage(message: In, transfer: Transferable[]): void;
}

export interface Ears<Out> {
  hear(message: Out | typeof READY): void;
  /** The worker's script, or a part of it, could not be fetched. */
  failed(): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/**
 * A worker whose script is asked for until it comes: a server that is busy or away when the page is opened must not leave the
 * page without it for good. The worker says `READY` first; what was sent before is sent again to the next when it does not come.
 */
export class LastingWorker<In, Out> {
  readonly #open: (ears: Ears<Out>) => Outlet<In>;
  readonly #hear: (message: Out) => void;
  readonly #latestOf: (message: In) => string | undefined;
  #outlet: Outlet<In>;
  #wait = FIRST_WAIT_MS;
  /** Undefined once the worker runs. What is handed over could not be sent twice: it waits until then. */
  #unheard: { readonly message: In; readonly transfer: Transferable[] }[] | undefined = [];

  /**
   * `open` starts the worker, and tells what it hears of it. Of messages with the same `latestOf` only the last counts: what is
   * kept for a worker that does not come must not grow while somebody goes on speaking to it.
   */
  constructor(
    open: (ears: Ears<Out>) => Outlet<In>,
    hear: (message: Out) => void,
    latestOf: (message: In) => string | undefined,
  ) {
    this.#open = open;
    this.#hear = hear;
    this.#latestOf = latestOf;
    this.#outlet = this.#start();
  }

  post(message: In, transfer: Transferable[] = []): void {
    if (this.#unheard !== undefined) {
      const latest = this.#latestOf(message);
      if (latest !== undefined) this.#unheard = this.#unheard.filter((each) => this.#latestOf(each.message) !== latest);
      this.#unheard.push({ message, transfer });
    }
    if (this.#unheard === undefined || transfer.length === 0) this.#outlet.postMessage(message, transfer);
  }

  #start(): Outlet<In> {
    let failed = false;
    return this.#open({
      hear: (message) => {
        if (message === READY) this.#run();
        else this.#hear(message);
      },
      failed: () => {
        if (failed || this.#unheard === undefined) return;
        failed = true;
        setTimeout(() => this.#again(), this.#wait);
        this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
      },
    });
  }

  #again(): void {
    this.#outlet = this.#start();
    for (const { message, transfer } of this.#unheard ?? []) {
      if (transfer.length === 0) this.#outlet.postMessage(message, transfer);
    }
  }

  #run(): void {
    const handed = this.#unheard?.filter(({ transfer }) => transfer.length > 0) ?? [];
    this.#unheard = undefined;
    for (const { message, transfer } of handed) this.#outlet.postMessage(message, transfer);
  }
}

/** Tells what comes of a worker's script. An error in a script that runs is an `ErrorEvent`: the same script would have it again. */
export function onScriptFailure(worker: Worker | SharedWorker, failed: () => void): void {
  worker.onerror = (event: Event) => {
    if (!(event instanceof ErrorEvent)) failed();
  };
}
