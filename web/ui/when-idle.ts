/** The first map and its table are drawn by then, in milliseconds. */
const EARLIEST_MS = 1_500;
/** A page that is never idle does it after so long, in milliseconds. */
const LATEST_MS = 5_000;

/** Calls back when the page has nothing else to do. Returns what takes it back. */
export function whenIdle(run: () => void): () => void {
  let idle: number | undefined;
  const timer = setTimeout(() => {
    if (typeof requestIdleCallback === 'undefined') run();
    else idle = requestIdleCallback(run, { timeout: LATEST_MS });
  }, EARLIEST_MS);
  return () => {
    clearTimeout(timer);
    if (idle !== undefined) cancelIdleCallback(idle);
  };
}
