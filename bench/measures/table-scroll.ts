import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startBackend } from '#backend/start.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { openBrowserPage } from '../browser-page.ts';
import { startFakePeers } from '../start-fake-peers.ts';
import { median, quantile } from '../statistics.ts';

const PEERS = 10;
const FLOWS_PER_PEER = 20_000;
const LEAST_ROWS = 20_000;
const FRAMES = 120;
const SETTLE_FRAMES = 20;
/** A frame's worth of brisk scrolling: 6,000 pixels a second, 230 rows. */
const PIXELS = 100;

export const tableScroll: Benchmark = {
  name: 'table-scroll',
  about: 'frames while the flow table scrolls, against those of a page with nothing but height, alternating',
  needs: ['chromium'],
  seconds: { full: 150, quick: 90 },
  async measure(context): Promise<Figure[]> {
    const pageFolder = await buildWeb(context.progress);
    const agents = await startFakePeers(context, {
      peers: PEERS,
      podsPerPeer: 20,
      flowsPerPeer: FLOWS_PER_PEER,
      rowsPerBatch: 250,
    });
    const backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', pageFolder });
    context.cleanUp(() => backend.close());
    const page = await openBrowserPage(context);
    await page.goto(`${backend.url}?embed=table`);
    await page.getByRole('table', { name: 'Flows' }).waitFor();
    // The page is there before the flows, so that it gets as many as it can take.
    backend.relay.follow(agents);
    context.progress('filling the table');
    const rows = await settledRows(page);
    if (rows < LEAST_ROWS) throw new Error(`the table has only ${rows} rows`);
    const empty = await page.context().browser()!.newPage();
    await empty.setContent('<div style="height: 20000000px; background: linear-gradient(#111, #eee)"></div>');

    const ratios: number[] = [];
    const frames: number[] = [];
    const work: number[] = [];
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    /** Milliseconds of processor time of the page's main thread, whatever else the machine does. */
    const mainThread = async () => {
      const { metrics } = await cdp.send('Performance.getMetrics');
      return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
    };
    for (let round = 0; round < (context.quick ? 3 : 9); round++) {
      context.progress(`round ${round + 1}`);
      await empty.bringToFront();
      const base = await empty.evaluate(scrollFrames, {
        selector: 'html',
        count: FRAMES,
        settle: SETTLE_FRAMES,
        pixels: PIXELS,
      });
      await page.bringToFront();
      const begun = await mainThread();
      const table = await page.evaluate(scrollFrames, {
        selector: '[role=table]',
        count: FRAMES,
        settle: SETTLE_FRAMES,
        pixels: PIXELS,
      });
      work.push(((await mainThread()) - begun) / (FRAMES + SETTLE_FRAMES));
      frames.push(quantile(table, 0.95));
      ratios.push(quantile(table, 0.95) / quantile(base, 0.95));
    }
    return [
      {
        name: 'p95 to an empty page',
        value: median(ratios),
        unit: '×',
        goal: { atMost: 1.2 },
        samples: ratios,
        note: `${FRAMES} frames a round, ${PIXELS} px a frame, ${rows.toLocaleString('en')} rows`,
      },
      {
        name: 'main thread per frame',
        value: median(work),
        unit: 'ms',
        goal: { atMost: 16.7 },
        samples: work,
        note: 'processor time',
      },
      { name: 'p95', value: median(frames), unit: 'ms', samples: frames, note: '16.7 ms are 60 frames a second' },
    ];
  },
};

/** Rows of the table once no more come. */
async function settledRows(page: Page): Promise<number> {
  const count = async () => Number(await page.getByRole('table', { name: 'Flows' }).getAttribute('aria-rowcount')) - 1;
  const deadline = performance.now() + 40_000;
  let before = -1;
  for (let now = await count(); (now !== before || now === 0) && performance.now() < deadline; now = await count()) {
    before = now;
    await sleep(2_000);
  }
  return await count();
}

/** Runs in a page: milliseconds between frames while an element is scrolled to and fro. */
async function scrollFrames(how: {
  selector: string;
  count: number;
  settle: number;
  pixels: number;
}): Promise<number[]> {
  const { selector, count, settle, pixels } = how;
  const element = document.querySelector(selector)!;
  const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
  element.scrollTop = 1_000;
  for (let frame = 0; frame < settle; frame++) await nextFrame();
  const frames: number[] = [];
  let last = await nextFrame();
  for (let frame = 0; frame < count; frame++) {
    element.scrollTop += frame < count / 2 ? pixels : -pixels;
    const now = await nextFrame();
    frames.push(now - last);
    last = now;
  }
  return frames;
}
