import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Benchmark, Figure } from '../benchmark.ts';
import { openLargeMap } from '../large-map-page.ts';
import { median, quantile } from '../statistics.ts';

const FRAMES = 120;
const SETTLE_MS = 1_000;

interface Moves {
  /** Milliseconds between frames. */
  readonly frames: readonly number[];
  /** Milliseconds of the longest task. */
  readonly longestTask: number;
  /** Frames for which a picture was moved. */
  readonly moves: number;
}

export const mapFrames: Benchmark = {
  name: 'map-frames',
  about:
    'frames while a map of 1,000 cards is watched and panned at 50,000 flows/s, against those of an empty page, alternating',
  needs: ['chromium'],
  seconds: { full: 420, quick: 180 },
  async measure(context): Promise<Figure[]> {
    const { page, cards, rate: perSecond } = await openLargeMap(context, '?embed=map');
    await comeNear(page);
    const empty = await page.context().browser()!.newPage();
    await empty.setContent('<div style="height: 100vh; background: linear-gradient(#111, #eee)"></div>');

    const kinds = { watching: false, panning: true };
    const ratios = { watching: [] as number[], panning: [] as number[] };
    const p95 = { watching: [] as number[], panning: [] as number[] };
    const tasks: number[] = [];
    const returns: number[] = [];
    for (let round = 0; round < (context.quick ? 3 : 9); round++) {
      context.progress(`round ${round + 1}`);
      for (const [kind, panning] of Object.entries(kinds) as ['watching' | 'panning', boolean][]) {
        await empty.bringToFront();
        const base = await empty.evaluate(moveFrames, { panning, count: FRAMES });
        await page.bringToFront();
        // A tab that was hidden is composed anew as a whole; that is a figure of its own.
        returns.push(await page.evaluate(longestTaskWithin, SETTLE_MS));
        const map = await page.evaluate(moveFrames, { panning, count: FRAMES });
        // A pointer that took hold of nothing would find a fast map.
        if (panning && map.moves < FRAMES / 4) throw new Error(`the map moved in ${map.moves} of ${FRAMES} frames`);
        p95[kind].push(quantile([...map.frames], 0.95));
        ratios[kind].push(quantile([...map.frames], 0.95) / quantile([...base.frames], 0.95));
        tasks.push(map.longestTask);
      }
    }
    const rate = Math.round(perSecond()).toLocaleString('en');
    const note = `${cards.toLocaleString('en')} cards lie open, ${rate} flows/s arrive, ${FRAMES} frames a round`;
    return [
      ...(['watching', 'panning'] as const).map((kind) => ({
        name: `${kind}, p95 to an empty page`,
        value: median(ratios[kind]),
        unit: '×',
        goal: { atMost: 1.2 },
        samples: ratios[kind],
        note: `${note}; ${median(p95[kind]).toFixed(1)} ms`,
      })),
      { name: 'longest task', value: median(tasks), unit: 'ms', goal: { atMost: 100 }, samples: tasks },
      { name: 'longest task when the tab is shown again', value: median(returns), unit: 'ms', samples: returns },
    ];
  },
};

/** Near enough that names are drawn. */
async function comeNear(page: Page): Promise<void> {
  for (let step = 0; step < 4; step++) await page.getByRole('button', { name: 'Zoom in' }).click();
  await sleep(3_000);
}

/** Runs in a page. */
async function longestTaskWithin(ms: number): Promise<number> {
  let longest = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  observer.observe({ type: 'longtask' });
  await new Promise((resolve) => setTimeout(resolve, ms));
  observer.disconnect();
  return longest;
}

/** Runs in a page: frames while nothing is done, or while a pointer drags the ground to and fro. */
async function moveFrames({ panning, count }: { panning: boolean; count: number }): Promise<Moves> {
  const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
  let longestTask = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration);
  });
  observer.observe({ type: 'longtask' });
  let [x, y] = [innerWidth / 2, innerHeight / 2];
  const send = (type: string, shift: number, buttons: number) => {
    const target = document.elementFromPoint(x, y) ?? document.body;
    const at = { clientX: x + shift, clientY: y + shift / 3, screenX: x + shift, screenY: y + shift / 3 };
    target.dispatchEvent(
      new MouseEvent(type, { ...at, bubbles: true, cancelable: true, button: 0, buttons, view: window }),
    );
  };
  // The ground: over cards, titles and arrows the pointer is a hand.
  for (let attempt = 0; attempt < 400; attempt++) {
    send('mousemove', 0, 0);
    await nextFrame();
    const over = document.elementFromPoint(x, y);
    if (over !== null && getComputedStyle(over).cursor !== 'pointer') break;
    [x, y] = [100 + ((attempt * 97) % (innerWidth - 300)), 100 + ((attempt * 41) % (innerHeight - 250))];
  }
  for (let settle = 0; settle < 10; settle++) await nextFrame();
  if (panning) send('mousedown', 0, 1);
  let moves = 0;
  const moved = new MutationObserver(() => moves++);
  for (const canvas of document.querySelectorAll('canvas')) {
    moved.observe(canvas, { attributes: true, attributeFilter: ['style'] });
  }
  const frames: number[] = [];
  let last = await nextFrame();
  for (let frame = 0; frame < count; frame++) {
    if (panning) send('mousemove', 8 * (frame < count / 2 ? frame : count - frame), 1);
    const now = await nextFrame();
    frames.push(now - last);
    last = now;
  }
  if (panning) send('mouseup', 0, 0);
  observer.disconnect();
  moved.disconnect();
  return { frames, longestTask, moves };
}
