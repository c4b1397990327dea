import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { Code } from './service.ts';

/**
 * Calls at once whose request has begun and has not come whole: each may hold as much as a request may be long. A thousand
 * followers may begin in one moment.
 */
const MOST_ARRIVING = 1_024;
/** A request is one small message, and comes with the call. */
const ARRIVES_WITHIN_MS = 10_000;
/** Who asks again and again on one call has said what there is to say by then. */
const ASKS_WITHIN_MS = 60_000;

export interface ArrivingCallsOptions {
  readonly most?: number;
  readonly withinMs?: number;
}

/**
 * Bounds what somebody can make a server hold who begins calls and does not finish saying what they want, before anybody asks who they
 * are: each has so much time, and where there are too many, the one that has been at it the longest goes. Whoever sends their request
 * as a whole never waits that long.
 */
export class ArrivingCalls {
  /** The oldest first: each ends its call. */
  readonly #calls = new Set<(why: string) => void>();
  readonly #most: number;
  readonly #withinMs: number;

  constructor({ most = MOST_ARRIVING, withinMs = ARRIVES_WITHIN_MS }: ArrivingCallsOptions = {}) {
    this.#most = most;
    this.#withinMs = withinMs;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** For a server's `interceptors`. */
  readonly interceptor: ServerInterceptor = ({ requestStream }, call) => {
    const arrived = this.#begin(call, requestStream ? ASKS_WITHIN_MS : this.#withinMs);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata: Metadata, pass) => pass(metadata),
          onReceiveHalfClose: (pass) => {
            arrived();
            pass();
          },
          onCancel: arrived,
        }),
    });
  };

  #begin(call: ServerInterceptingCallInterface, withinMs: number): () => void {
    const cut = (why: string) => {
      arrived();
      call.sendStatus({ code: Code.RESOURCE_EXHAUSTED as number, details: why });
    };
    const timer = setTimeout(cut, withinMs, `the request has not come within ${withinMs / 1_000} s`);
    const arrived = () => {
      clearTimeout(timer);
      this.#calls.delete(cut);
    };
    this.#calls.add(cut);
    if (this.#calls.size > this.#most) {
      const [oldest] = this.#calls;
      oldest!('too many calls begin and do not say what they ask for');
    }
    return arrived;
  }
}
