import type { KeptState, KeptStateFile } from './kept-state.ts';
import type { ClusterObject } from './objects.ts';

const LOOK_EVERY_MS = 1_000;
/** How often it is said that what has not changed is still so. */
const CONFIRM_EVERY_MS = 10_000;
/** The more there is, the longer the pause until it is written again: 12 s for 5,000 pods, whose 60 ms are then half a percent. */
const BYTES_PER_SECOND = 256 * 1024;
const LONGEST_PAUSE_MS = 60_000;

export interface KeptSubject {
  /** True while nothing is known that is worth keeping. */
  readonly unread: boolean;
  /** Since when what is known may be old, in milliseconds since 1970; undefined = it is not. */
  readonly staleSinceMs: number | undefined;
  objects(): Iterable<ClusterObject>;
}

/** Keeps a file with what is known of the cluster: soon after a change, the more seldom the more there is, and at the end. */
export class StateKeeper {
  readonly #file: KeptStateFile;
  readonly #subject: KeptSubject;
  readonly #timer: NodeJS.Timeout;
  #changed = false;
  /** What the file says was up to date last; undefined = it holds something else. */
  #confirmedMs: number | undefined;
  #nextAt = 0;
  #work: Promise<void> | undefined;
  #problem = '';

  constructor(file: KeptStateFile, subject: KeptSubject) {
    this.#file = file;
    this.#subject = subject;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Why the next process would not know what this one knows; empty when it would. */
  get problem(): string {
    return this.#problem;
  }

  /** What an earlier process kept; undefined where there is nothing of use. */
  async recall(): Promise<KeptState | undefined> {
    try {
      return await this.#file.read();
    } catch (error) {
      this.#problem = (error as Error).message;
      return undefined;
    }
  }

  /** To be called when what is known has changed. */
  changed(): void {
    this.#changed = true;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
    if (!this.#subject.unread) await this.#save();
  }

  #look(): void {
    const { unread } = this.#subject;
    if (this.#work !== undefined || unread || performance.now() < this.#nextAt) return;
    if (this.#current && Date.now() - this.#confirmedMs! < CONFIRM_EVERY_MS) return;
    this.#work = this.#save().finally(() => {
      this.#work = undefined;
    });
  }

  /** Whether the file holds what is known. */
  get #current(): boolean {
    return !this.#changed && this.#confirmedMs !== undefined;
  }

  async #save(): Promise<void> {
    const asOfMs = this.#subject.staleSinceMs ?? Date.now();
    const current = this.#current;
    let bytes = 0;
    this.#changed = false;
    try {
      if (!current) bytes = await this.#file.write(this.#subject.objects(), asOfMs);
      else if (asOfMs > this.#confirmedMs!) await this.#file.confirm(asOfMs);
      this.#confirmedMs = asOfMs;
      this.#problem = '';
    } catch (error) {
      this.#changed = true;
      bytes = LONGEST_PAUSE_MS * BYTES_PER_SECOND;
      this.#problem = (error as Error).message;
    }
    this.#nextAt = performance.now() + Math.min(LONGEST_PAUSE_MS, (bytes / BYTES_PER_SECOND) * 1_000);
  }
}
