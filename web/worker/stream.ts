import { create } from '@bufbuild/protobuf';
import type { Cursor } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewService, type ViewUpdate, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Backoff } from './backoff.ts';
import { CallError } from './call-error.ts';
import { callFailure } from './call-failure.ts';
import { openStream } from './grpc-web-stream.ts';
import type { ConnectionState, StreamView } from './protocol.ts';

/** Past flows to begin with. */
const LAST_FLOWS = 4_096;
/** The server says something at least every few seconds; silence this long means that the line is dead. */
const SILENCE_MS = 20_000;

const CODE_DATA_LOSS = 15;

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
  #rotating = false;
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
    if (!this.#rotating) this.#events.state({ phase: 'connecting' });
    this.#rotating = false;
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
      message: (update) => this.#update(update),
      end: (error) => this.#ended(error),
    });
    this.#watchSilence();
  }

  /** Tries now if it was waiting. */
  retryNow(): void {
    if (this.#retry !== undefined) this.open();
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
    this.#watchSilence();
    try {
      this.#events.update(update);
    } catch (error) {
      // A batch this build cannot read: the cursor stays before it, and the next stream begins with fresh dictionaries.
      this.#cancel?.();
      this.#ended(new CallError(CODE_DATA_LOSS, error instanceof Error ? error.message : String(error)));
      return;
    }
    this.#backoff.reset();
    if (update.flows?.cursor !== undefined) this.#cursor = update.flows.cursor;
    this.#events.state({ phase: 'live' });
    if (update.rotate) this.#rotating = true;
  }

  #ended(error: CallError | undefined): void {
    clearTimeout(this.#silence);
    if (this.#closed || this.#resting) return;
    if (this.#rotating && error === undefined) {
      this.open();
      return;
    }
    this.#rotating = false;
    const failure = callFailure(error);
    if (!failure.retry) {
      this.#events.state({ phase: 'refused', reason: failure.reason, message: failure.message });
      return;
    }
    const wait = this.#backoff.nextMs();
    this.#events.state({
      phase: 'waiting',
      retryAt: Date.now() + wait,
      attempt: this.#backoff.attempts,
      message: failure.message,
    });
    this.#retry = setTimeout(() => this.open(), wait);
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#cancel?.();
      this.#ended(undefined);
    }, SILENCE_MS);
  }
}
