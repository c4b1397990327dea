import { RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import type { AddressBook } from './address-book.ts';
import { addressText, type EndpointTable } from './endpoint-table.ts';
import type { KernelClock } from './kernel-clock.ts';
import type { RecordToRow } from './record-to-row.ts';
import type { RingConsumer, RunSink } from './ring-consumer.ts';
import { RECORD, type RingView } from './ring-record.ts';

/** Pause between looks at the ring, in milliseconds: while records come, and when none came for a while. */
const BUSY_PAUSE_MS = 5;
const IDLE_PAUSE_MS = 20;
const IDLE_AFTER_LOOKS = 100;
/** Records per drain: their room is given back, and progress told, after so many. */
const RECORDS_PER_RUN = 900;
/** The event loop gets its turn after so much work, in milliseconds. */
const WORK_PER_LOOK_MS = 8;
/**
 * A record that names a pod's address nobody is known by waits for the news of that pod to arrive, and all after it, so
 * that order is kept. The ring holds them meanwhile.
 */
const PATIENCE_MS = 150;
/** Addresses for which waiting was in vain are not waited for again for this long. */
const GIVEN_UP_MS = 10_000;
const GIVEN_UP_LIMIT = 4_096;

export interface RecordDrainOptions {
  readonly ring: Pick<RingConsumer, 'drainRuns'>;
  readonly rows: RecordToRow;
  readonly table: EndpointTable;
  readonly book: AddressBook;
  readonly clock: KernelClock;
  /** Called before each look at the ring, for what is to be known by then. */
  readonly onLook?: () => void;
  /** Called after each run that appended rows. */
  readonly onProgress: (appended: number) => void;
}

/** Moves records from the kernel's ring to the window, a bounded piece at a time. */
export class RecordDrain {
  readonly #options: RecordDrainOptions;
  readonly #sink: RunSink;
  readonly #givenUp = new Map<string, number>();
  /** The next record waits. */
  #holding = false;
  #emptyLooks = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #running = false;
  #workedMs = 0;

  constructor(options: RecordDrainOptions) {
    this.#options = options;
    this.#sink = (view, at, step, count) => {
      let ready = 0;
      while (ready < count && !this.#mustWait(view, at + ready * step)) ready++;
      if (ready > 0) this.#options.rows.append(view, at, step, ready);
      this.#holding = ready < count;
      return ready;
    };
  }

  start(): void {
    this.#running = true;
    this.#schedule(0);
  }

  /** What waits stays in the ring, for the next agent. */
  stop(): void {
    this.#running = false;
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer as NodeJS.Timeout);
      clearImmediate(this.#timer as NodeJS.Immediate);
    }
  }

  /** Time spent on the ring's records so far, those who are told of them included, in milliseconds. */
  get workedMs(): number {
    return this.#workedMs;
  }

  /** One look at the ring. Returns the records appended, and whether more may be waiting. */
  look(): { appended: number; more: boolean } {
    const begun = performance.now();
    const looked = this.#look(begun + WORK_PER_LOOK_MS);
    this.#workedMs += performance.now() - begun;
    return looked;
  }

  #look(end: number): { appended: number; more: boolean } {
    const { ring, table, onLook, onProgress } = this.#options;
    onLook?.();
    table.refresh();
    this.#holding = false;
    let appended = 0;
    for (;;) {
      const run = ring.drainRuns(this.#sink, RECORDS_PER_RUN);
      appended += run;
      if (run > 0) onProgress(run);
      if (this.#holding || run < RECORDS_PER_RUN) return { appended, more: false };
      if (performance.now() >= end) return { appended, more: true };
    }
  }

  #schedule(pause: number): void {
    const look = () => {
      const { appended, more } = this.look();
      if (!this.#running) return;
      this.#emptyLooks = appended > 0 || this.#holding ? 0 : this.#emptyLooks + 1;
      if (more) this.#timer = setImmediate(look);
      else this.#schedule(this.#emptyLooks < IDLE_AFTER_LOOKS ? BUSY_PAUSE_MS : IDLE_PAUSE_MS);
    };
    this.#timer = setTimeout(look, pause);
  }

  #mustWait(view: RingView, at: number): boolean {
    const word = at >>> 2;
    const strangeSource = view.u32[word + RECORD.sourceIdentity / 4] === RESERVED_IDENTITY.unmanaged;
    const strangeDestination = view.u32[word + RECORD.destinationIdentity / 4] === RESERVED_IDENTITY.unmanaged;
    return (
      (strangeSource && this.#awaitsOwner(view, word, RECORD.sourceAddress / 4)) ||
      (strangeDestination && this.#awaitsOwner(view, word, RECORD.destinationAddress / 4))
    );
  }

  #awaitsOwner({ u32 }: RingView, record: number, field: number): boolean {
    const at = record + field;
    const address = addressText(u32[at]!, u32[at + 1]!, u32[at + 2]!, u32[at + 3]!);
    if (this.#options.book.knows(address)) return false;
    const now = performance.now();
    const givenUp = this.#givenUp.get(address);
    if (givenUp !== undefined && now - givenUp < GIVEN_UP_MS) return false;
    const time = record + RECORD.time / 4;
    if (this.#options.clock.ageMs(u32[time]!, u32[time + 1]!) < PATIENCE_MS) return true;
    if (this.#givenUp.size >= GIVEN_UP_LIMIT) this.#givenUp.clear();
    this.#givenUp.set(address, now);
    return false;
  }
}
