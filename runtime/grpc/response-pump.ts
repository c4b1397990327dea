const ABORTED = Symbol('aborted');

/**
 * Moves a handler's responses to a transport, one at a time. `write` returns nothing when the transport can take more, or a
 * promise to wait for before the next response is asked for: that is the whole backpressure, and the handler feels it as
 * next() not being called.
 *
 * Returns when the responses end or the signal aborts, whichever comes first; throws what the handler or `write` throws.
 */
export async function pumpResponses<T>(
  responses: AsyncIterable<T>,
  signal: AbortSignal,
  write: (response: T) => Promise<void> | undefined,
): Promise<void> {
  const iterator = responses[Symbol.asyncIterator]();
  // One listener for the whole stream and one slot for whoever waits now. Promise.race with a long-lived promise would add a
  // reaction to it per message, kept until the stream ends.
  let wake: (() => void) | undefined;
  const onAbort = () => wake?.();
  const orAborted = <R>(pending: Promise<R>) =>
    new Promise<R | typeof ABORTED>((resolve, reject) => {
      wake = () => resolve(ABORTED);
      pending.then(resolve, reject);
    });
  signal.addEventListener('abort', onAbort);
  let finished = false;
  try {
    while (!signal.aborted) {
      const step = await orAborted(iterator.next());
      if (step === ABORTED) return;
      if (step.done) {
        finished = true;
        return;
      }
      if (signal.aborted) return;
      const drained = write(step.value);
      if (drained !== undefined) await orAborted(drained);
    }
  } catch (error) {
    finished = true;
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: an async generator queues return() behind its pending next(), which ends when the handler sees the signal.
    if (!finished) iterator.return?.()?.catch(() => {});
  }
}
