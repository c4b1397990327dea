import { type FSWatcher, watch } from 'node:fs';
import { keepEntry } from './install-plugin.ts';

/** Looked at this often besides, in milliseconds: not every file system tells of changes. */
const LOOK_EVERY_MS = 10_000;
/** Whoever writes the list may write more than once. */
const SETTLE_MS = 200;

export interface KeptEntryOptions {
  /** The runtime's folder of networks' configurations. */
  readonly confDir: string;
  /** As the node sees it. */
  readonly agentSocket: string;
  /** Called when the entry was gone and has been put back. */
  readonly onRestored: (list: string) => void;
}

/**
 * Keeps the plugin's entry at the end of the network's list, which is not ours: networks write it anew when they start again or are
 * upgraded, and new pods would be open from then on without a word.
 */
export class KeptEntry {
  readonly #options: KeptEntryOptions;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #soon: NodeJS.Timeout | undefined;
  #problem = '';

  constructor(options: KeptEntryOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#look();
  }

  /** Why new pods may be open; empty when the list has the entry. */
  get problem(): string {
    return this.#problem;
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#watcher?.close();
  }

  #look(): void {
    this.#soon = undefined;
    const { confDir, agentSocket, onRestored } = this.#options;
    this.#watcher ??= this.#watch();
    try {
      const restored = keepEntry(confDir, agentSocket);
      this.#problem = '';
      if (restored !== undefined) onRestored(restored);
    } catch (error) {
      this.#problem = `new pods are not closed: ${(error as Error).message}`;
    }
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#options.confDir, () => {
        this.#soon ??= setTimeout(() => this.#look(), SETTLE_MS);
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watcher = undefined;
      });
      return watcher;
    } catch {
      return undefined;
    }
  }
}
