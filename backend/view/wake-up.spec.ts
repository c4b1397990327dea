import { expect, test } from 'vitest';
import { WakeUp } from './wake-up.ts';

test('loops that are always late leave turns to everything else', async () => {
  const end = new AbortController();
  let rounds = 0;
  const late = async () => {
    const wakeUp = new WakeUp(end.signal);
    while (!end.signal.aborted) {
      rounds++;
      // Both ways not to wait: the time has come already, or something called meanwhile.
      wakeUp.call();
      await wakeUp.wait(rounds % 2 === 0 ? -1 : 60_000, true);
    }
  };
  const loops = [late(), late(), late()];
  // A timer stands for a socket: it is served although nobody ever waits.
  await new Promise((resolve) => setTimeout(resolve, 20));
  end.abort();
  await Promise.all(loops);
  expect(rounds).toBeGreaterThan(3);
});

test('a call that came before is heeded once', async () => {
  const wakeUp = new WakeUp(new AbortController().signal);
  wakeUp.call();
  await wakeUp.wait(60_000, true);
  const before = performance.now();
  await wakeUp.wait(20, true);
  expect(performance.now() - before).toBeGreaterThan(15);
});

test('the end of the stream ends a wait', async () => {
  const end = new AbortController();
  const waiting = new WakeUp(end.signal).wait(60_000, true);
  end.abort();
  await waiting;
});
