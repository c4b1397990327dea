import { type KeptPolicy, PolicyBook } from '#runtime/cluster/policy-book.ts';
import type { RunDirectory } from '../run-directory.ts';

const FILE = 'policies-kept.json';

/** Keeps for the next agent the last good state of policies that cannot be used now. */
export class PolicyKeeper {
  readonly #run: Pick<RunDirectory, 'write'>;
  #saved: string;

  readonly book: PolicyBook;

  constructor(run: Pick<RunDirectory, 'read' | 'write'>) {
    this.#run = run;
    this.#saved = run.read(FILE);
    this.book = new PolicyBook(parse(this.#saved));
  }

  /** To be called after the book has read. */
  save(): void {
    const text = `${JSON.stringify(this.book.kept())}\n`;
    if (text === this.#saved || (text === '[]\n' && this.#saved === '')) return;
    this.#saved = text;
    this.#run.write(FILE, text);
  }
}

/** Written by an agent of this node alone. */
function parse(text: string): KeptPolicy[] {
  try {
    const kept: unknown = JSON.parse(text);
    return Array.isArray(kept)
      ? kept.filter(({ kind, namespace, name }) => kind && name && namespace !== undefined)
      : [];
  } catch {
    return [];
  }
}
