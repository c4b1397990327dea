/** Asks again and again until the answer is true; fails, saying what was awaited, after `timeoutMs`. */
export async function eventually(
  what: string,
  timeoutMs: number,
  ask: () => Promise<boolean> | boolean,
  everyMs = 250,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; ) {
    if (await ask()) return;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
