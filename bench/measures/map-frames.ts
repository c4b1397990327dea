import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startBackend } from '#backend/start.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { openBrowserPage } from '../browser-page.ts';
import type { FakePeer } from '../fake-peers.ts';
import { median, quantile } from '../statistics.ts';

const PEERS = fileURLToPath(new URL('../steady-peers.ts', import.meta.url));
const NODES = 25;
/** Five pods to a workload: 1,000 cards. */
const PODS_PER_NODE = 200;
const FLOWS_PER_SECOND = 50_000;
const SHARE_NOT_FORWARDED = 0.02;
/** With the world's calls to each workload and its calls to the world: 5,000 edges. */
const CALLEES = 3;
const LEAST_CARDS = 1_000;
const FRAMES = 120;

interface Moves {
  /** Milliseconds between frames. */
  readonly frames: readonly number[];
  /** Milliseconds of the longest task. */
  readonly longestTask: number;
}

export const mapFrames: Benchmark = {
  name: 'map-frames',
  about:
    'frames while a map of 1,000 cards is watched and panned at 50,000 flows/s, against those of an empty page, alternating',
  needs: ['chromium'],
  seconds: { full: 240, quick: 150 },
  async measure(context): Promise<Figure[]> {
    const pageFolder = await buildWeb(context.progress);
    const backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', pageFolder });
    context.cleanUp(() => backend.close());
    backend.relay.follow(await startPeers(context));
    const page = await openBrowserPage(context);
    await page.goto(`${backend.url}?embed=map`);
    context.progress('unfolding 1,000 cards');
    await page.locator('[data-card]').first().waitFor({ state: 'attached' });
    const cards = await unfold(page);
    const empty = await page.context().browser()!.newPage();
    await empty.setContent('<div style="height: 100vh; background: linear-gradient(#111, #eee)"></div>');

    const kinds = { watching: false, panning: true };
    const ratios = { watching: [] as number[], panning: [] as number[] };
    const p95 = { watching: [] as number[], panning: [] as number[] };
    const tasks: number[] = [];
    for (let round = 0; round < (context.quick ? 3 : 9); round++) {
      context.progress(`round ${round + 1}`);
      for (const [kind, panning] of Object.entries(kinds) as ['watching' | 'panning', boolean][]) {
        await empty.bringToFront();
        const base = await empty.evaluate(moveFrames, { panning, count: FRAMES });
        await page.bringToFront();
        const map = await page.evaluate(moveFrames, { panning, count: FRAMES });
        p95[kind].push(quantile([...map.frames], 0.95));
        ratios[kind].push(quantile([...map.frames], 0.95) / quantile([...base.frames], 0.95));
        tasks.push(map.longestTask);
      }
    }
    const rate = Math.round(backend.relay.rate.perSecond()).toLocaleString('en');
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
    ];
  },
};

function startPeers(context: BenchmarkContext): Promise<FakePeer[]> {
  const child = fork(PEERS, [NODES, PODS_PER_NODE, FLOWS_PER_SECOND, SHARE_NOT_FORWARDED, CALLEES].map(String), {
    execArgv: [],
    silent: true,
  });
  context.cleanUp(() => {
    child.kill();
  });
  return new Promise((resolve, reject) => {
    child.once('message', (peers) => resolve(peers as FakePeer[]));
    child.once('exit', (code) => reject(new Error(`the agents ended with status ${code}`)));
  });
}

/** Opens every plate; returns how many cards there are then. */
async function unfold(page: Page): Promise<number> {
  const cards = page.locator('[data-card]');
  const deadline = performance.now() + 60_000;
  await page.getByRole('button', { name: 'What the map shows' }).click();
  while (performance.now() < deadline) {
    const unfoldAll = page.getByRole('button', { name: 'Unfold all' });
    if (await unfoldAll.isEnabled()) await unfoldAll.click();
    await sleep(1_000);
    if ((await cards.count()) >= LEAST_CARDS) break;
  }
  await page.keyboard.press('Escape');
  const count = await cards.count();
  if (count < LEAST_CARDS) throw new Error(`the map has only ${count} cards`);
  // Near enough that names are drawn.
  for (let step = 0; step < 4; step++) await page.getByRole('button', { name: 'Zoom in' }).click();
  await sleep(3_000);
  return count;
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
  return { frames, longestTask };
}
