/**
 * Calls back right behind the next frame: what follows from what a person did, and takes long to lay out, waits until that is
 * seen; what is measured then is laid out already. Returns what takes it back.
 */
export function behindPaint(run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(run);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
