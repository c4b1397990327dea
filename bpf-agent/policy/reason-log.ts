import { type Reason, ReasonTable } from '#core/policy/reason.ts';
import type { RunDirectory } from '../run-directory.ts';

const FILE = 'policy-reasons.json';
/** Reasons kept beyond those in use: records that still travel name them. */
const MOST_KEPT = 50_000;

/**
 * What the reason ids in the kernel's maps and records stand for. It outlives the agent, as they do: ids are never given
 * twice, and records that waited in the ring for the next agent are told with their reasons.
 */
export class ReasonLog {
  readonly table: ReasonTable;
  readonly #earlier: ReadonlyMap<number, Reason>;
  readonly #run: Pick<RunDirectory, 'write'>;
  #saved = 0;

  constructor(run: Pick<RunDirectory, 'read' | 'write'>) {
    this.#run = run;
    const earlier = parse(run.read(FILE));
    this.#earlier = earlier;
    let next = 0;
    for (const id of earlier.keys()) next = Math.max(next, id + 1);
    this.table = new ReasonTable(next);
  }

  reason(id: number): Reason | undefined {
    return this.table.reason(id) ?? this.#earlier.get(id);
  }

  /** To be called before entries with new ids reach the kernel. @param inUse asked for when there are too many */
  save(inUse: () => ReadonlySet<number>): void {
    if (this.table.size === this.#saved) return;
    if (this.table.size > MOST_KEPT) this.table.retain(inUse());
    this.#saved = this.table.size;
    const entries = [...[...this.#earlier].slice(-MOST_KEPT), ...this.table.entries()];
    this.#run.write(FILE, `${JSON.stringify(entries)}\n`);
  }
}

/** Written by an agent of this node alone; what is not understood is left out. */
function parse(text: string): Map<number, Reason> {
  try {
    const entries = JSON.parse(text) as [number, Reason][];
    return new Map(entries.filter(([id, reason]) => Number.isSafeInteger(id) && typeof reason.kind === 'string'));
  } catch {
    return new Map();
  }
}
