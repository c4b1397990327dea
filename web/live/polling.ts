/**
 * Makes a function that asks at once, and again every so often, until the function it returns is called. Who watches together asks
 * once; nobody asks while the page is hidden.
 * @param failed is told why there was no answer
 */
export function polling(
  everyMs: number,
  ask: () => Promise<void>,
  failed: (problem: string) => void,
): () => () => void {
  let watchers = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;

  async function look(): Promise<void> {
    if (asking) return;
    if (document.visibilityState === 'visible') {
      asking = true;
      try {
        await ask();
      } catch (error) {
        failed(error instanceof Error ? error.message : String(error));
      }
      asking = false;
    }
    clearTimeout(timer);
    if (watchers > 0) timer = setTimeout(look, everyMs);
  }

  return () => {
    watchers++;
    if (watchers === 1) void look();
    return () => {
      watchers--;
      if (watchers === 0) clearTimeout(timer);
    };
  };
}
