import { READY } from '../worker/ready.ts';

/** A worker, or the port to one that tabs share. */
export interface Outlet<In> {
  postMessage(message: In, transfer: Transferable[]): void;
  /** Nothing is heard of it after that. */
  close(): void;
}

export interface Ears<Out> {
  hear(message: Out | typeof READY): void;
  /** The worker's script, or a part of it, could not be fetched. */
  failed(): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** A browser may lose one without a word. The next is given twice as long: the line may be slow. */
const PATIENCE_MS = 10_000;

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
  #patience = PATIENCE_MS;
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

  /** In place of one that does not answer any more. It knows nothing: all it has to know is to be posted again. */
  restart(): void {
    this.#outlet.close();
    this.#unheard = [];
    this.#outlet = this.#start();
  }

  #start(): Outlet<In> {
    let state: 'coming' | 'running' | 'failed' = 'coming';
    const failed = () => {
      if (state !== 'coming') return;
      state = 'failed';
      clearTimeout(lost);
      outlet.close();
      setTimeout(() => this.#again(), this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    };
    const lost = setTimeout(failed, this.#patience);
    this.#patience *= 2;
    const outlet = this.#open({
      hear: (message) => {
        if (state === 'failed') return;
        if (message !== READY) this.#hear(message);
        else {
          state = 'running';
          clearTimeout(lost);
          this.#run();
        }
      },
      failed,
    });
    return outlet;
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

export function outletOf<In>(worker: Worker): Outlet<In> {
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer),
    close: () => worker.terminate(),
  };
}

/** Tells what comes of a worker's script. An error in a script that runs is an `ErrorEvent`: the same script would have it again. */
export function onScriptFailure(worker: Worker | SharedWorker, failed: () => void): void {
  worker.onerror = (event: Event) => {
    if (!(event instanceof ErrorEvent)) failed();
  };
}
