import { create } from '@bufbuild/protobuf';
import type { Cursor } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewService, type ViewUpdate, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Backoff } from './backoff.ts';
import { CallError, CODE, NO_STATUS } from './call-error.ts';
import { callFailure } from './call-failure.ts';
import { openStream } from './grpc-web-stream.ts';
import type { ConnectionState, StreamFailure, StreamView } from './protocol.ts';

/** Past flows to begin with. */
const LAST_FLOWS = 4_096;
/** The server says something at least every few seconds; silence this long means that the line is dead. */
const SILENCE_MS = 20_000;
/** Who was stopped meanwhile, as by a laptop's sleep, has not read yet what came: it is given this long to do so. */
const AFTER_SLEEP_MS = 5_000;
const LATE_MS = 5_000;
/** A stream that lasted so long was no failure: the next attempt after it is the first again. */
const LASTING_MS = 5_000;

/** Streams are not begun anew more often than that, whatever the server says. */
const ROTATION_MS = 1_000;

export interface StreamEvents {
  /** A new stream begins: dictionaries of the former one no longer count. */
  begin(): void;
  update(update: ViewUpdate): void;
  state(state: ConnectionState): void;
}

/**
 * One view's stream, kept open: it resumes by cursor after rotation (at once, nothing is said) and after a loss (with
 * backoff, said with a countdown).
 */
export class WatchStream {
  readonly #base: string;
  readonly #view: StreamView;
  readonly #events: StreamEvents;
  readonly #backoff = new Backoff();
  #cursor: Cursor | undefined;
  #cancel: (() => void) | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #openedAt = 0;
  #heardAt = 0;
  #rotating = false;
  /** The server would not have it: whoever looks again may have signed in by then. */
  #refused = false;
  /** Why there was no stream before this one, until it says something. */
  #failed: StreamFailure | undefined;
  #resting = false;
  #closed = false;

  constructor(base: string, view: StreamView, events: StreamEvents) {
    this.#base = base;
    this.#view = view;
    this.#events = events;
  }

  open(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (!this.#rotating) this.#events.state({ phase: 'connecting', after: this.#failed });
    this.#rotating = false;
    this.#refused = false;
    this.#openedAt = this.#heardAt = performance.now();
    this.#events.begin();
    const request = create(WatchRequestSchema, {
      namespaces: [...this.#view.namespaces],
      filter: [...this.#view.filter],
      flows: true,
      map: true,
      perNode: this.#view.perNode,
      last: this.#cursor === undefined ? LAST_FLOWS : 0,
      cursor: this.#cursor,
    });
    this.#cancel = openStream(this.#base, ViewService.method.watch, request, {
      heard: () => {
        this.#heardAt = performance.now();
      },
      message: (update) => this.#update(update),
      end: (error) => this.#ended(error),
    });
    this.#watchSilence(SILENCE_MS);
  }

  /** Tries now if it was waiting, or refused for want of a session or a permission. */
  retryNow(): void {
    if (this.#retry !== undefined || (this.#refused && !this.#resting && !this.#closed)) this.open();
  }

  /** Ends the connection and keeps the position. */
  rest(): void {
    if (this.#resting || this.#closed) return;
    this.#resting = true;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    clearTimeout(this.#silence);
    this.#cancel?.();
    this.#rotating = false;
    this.#events.state({ phase: 'connecting' });
  }

  /** Goes on from where it rested. */
  wake(): void {
    if (!this.#resting || this.#closed) return;
    this.#resting = false;
    this.open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#cancel?.();
  }

  #update(update: ViewUpdate): void {
    if (this.#closed || this.#resting) return;
    try {
      this.#events.update(update);
    } catch (error) {
      // A batch this build cannot read: the cursor stays before it, and the next stream begins with fresh dictionaries.
      this.#cancel?.();
      this.#ended(new CallError(CODE.DATA_LOSS, error instanceof Error ? error.message : String(error)));
      return;
    }
    this.#failed = undefined;
    if (performance.now() - this.#openedAt > LASTING_MS) this.#backoff.reset();
    if (update.flows?.cursor !== undefined) this.#cursor = update.flows.cursor;
    this.#events.state({ phase: 'live' });
    if (update.rotate) this.#rotating = true;
  }

  #ended(error: CallError | undefined): void {
    clearTimeout(this.#silence);
    if (this.#closed || this.#resting) return;
    if (this.#rotating && error === undefined) {
      const early = this.#openedAt + ROTATION_MS - performance.now();
      if (early <= 0) this.open();
      else this.#retry = setTimeout(() => this.open(), early);
      return;
    }
    this.#rotating = false;
    const failure = callFailure(error);
    if (!failure.retry) {
      this.#failed = undefined;
      this.#refused = failure.reason !== 'filter';
      // Whoever is let in again begins anew.
      if (this.#refused) this.#cursor = undefined;
      this.#events.state({ phase: 'refused', reason: failure.reason, message: failure.message });
      return;
    }
    const { message, reload } = failure;
    this.#failed = { message, reload };
    const wait = this.#backoff.nextMs();
    this.#events.state({
      phase: 'waiting',
      retryAt: Date.now() + wait,
      attempt: this.#backoff.attempts,
      message,
      reload,
    });
    this.#retry = setTimeout(() => this.open(), wait);
  }

  #watchSilence(ms: number): void {
    clearTimeout(this.#silence);
    const due = performance.now() + ms;
    this.#silence = setTimeout(() => {
      const now = performance.now();
      const left = this.#heardAt + SILENCE_MS - now;
      if (left > 0) this.#watchSilence(left);
      else if (now - due > LATE_MS) this.#watchSilence(AFTER_SLEEP_MS);
      else {
        this.#cancel?.();
        this.#ended(new CallError(NO_STATUS.SILENT, `${SILENCE_MS / 1_000} s`));
      }
    }, ms);
  }
}
