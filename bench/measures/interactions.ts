import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Benchmark, Figure } from '../benchmark.ts';
import { openLargeMap } from '../large-map-page.ts';
import { median, quantile } from '../statistics.ts';

/** Between what one does and the next: a person looks at what came of it. */
const LOOK_MS = 350;

interface Interaction {
  readonly kind: string;
  readonly milliseconds: number;
  /** Until the page began with it, and what it did at once. */
  readonly waited: number;
  readonly ran: number;
}

/** As Core Web Vitals take it: the slowest interaction, one of every fifty left out. */
export const interactions: Benchmark = {
  name: 'interactions',
  about: 'from a click or key until the next frame is painted, on a map of 1,000 cards and its table at 50,000 flows/s',
  needs: ['chromium'],
  seconds: { full: 420, quick: 180 },
  async measure(context): Promise<Figure[]> {
    const { page, cards, rate } = await openLargeMap(context, '');
    await page.getByRole('table', { name: /^Flows/ }).waitFor();
    await page.evaluate(watchInteractions);
    await sleep(3_000);
    for (let round = 0; round < (context.quick ? 1 : 3); round++) {
      context.progress(`round ${round + 1}`);
      await tryMap(page);
      await tryTable(page);
      await tryFilter(page);
    }
    await sleep(1_000);
    const told = await page.evaluate(() => [
      ...(globalThis as unknown as { waggleInteractions: Map<number, Interaction> }).waggleInteractions.values(),
    ]);
    const all = told.map(({ milliseconds }) => milliseconds).sort((a, b) => b - a);
    const slowest = told.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, 3);
    const flows = Math.round(rate()).toLocaleString('en');
    return [
      {
        name: 'INP',
        value: all[Math.min(all.length - 1, Math.floor(all.length / 50))],
        unit: 'ms',
        goal: { atMost: 200 },
        samples: all,
        note: `${all.length} clicks and keys, ${cards.toLocaleString('en')} cards, ${flows} flows/s; the slowest: ${slowest.map(({ kind, milliseconds, waited, ran }) => `${kind} ${milliseconds} (waited ${waited}, ran ${ran})`).join(', ')}`,
      },
      { name: 'p75', value: quantile(all, 0.75), unit: 'ms', samples: all },
      { name: 'median', value: median(all), unit: 'ms', samples: all },
    ];
  },
};

async function tryMap(page: Page): Promise<void> {
  const tree = page.getByRole('tree', { name: 'Service map' });
  for (const name of ['Zoom in', 'Zoom in', 'Zoom out']) {
    await page.getByRole('button', { name }).click();
    await sleep(LOOK_MS);
  }
  for (const share of [0.3, 0.5, 0.7]) {
    const { width, height } = (await page.getByRole('region', { name: 'Map' }).boundingBox())!;
    await page.mouse.click(width * share, height * share);
    await sleep(LOOK_MS);
    await page.keyboard.press('Escape');
    await sleep(LOOK_MS);
  }
  await tree.getByRole('treeitem').first().focus();
  // Last, nothing is selected: the table shows all flows.
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown', '+', '-', '0', 'Escape']) {
    await page.keyboard.press(key);
    await sleep(LOOK_MS);
  }
}

async function tryTable(page: Page): Promise<void> {
  const table = page.getByRole('table', { name: /^Flows/ });
  const bar = page.getByRole('toolbar', { name: 'Flow table' });
  // The first below the header.
  const row = table.getByRole('row').nth(1);
  await row.waitFor();
  await bar.getByRole('button', { name: 'Pause' }).click();
  await sleep(LOOK_MS);
  await row.click();
  await sleep(LOOK_MS);
  for (const key of ['ArrowDown', 'ArrowDown', 'PageDown', 'Escape']) {
    await page.keyboard.press(key);
    await sleep(LOOK_MS);
  }
  // By verdict, the other way around, and by arrival again.
  for (let press = 0; press < 3; press++) {
    await table.getByRole('columnheader', { name: 'Verdict', exact: true }).getByRole('button').click();
    await sleep(2 * LOOK_MS);
  }
  const resume = bar.getByRole('button', { name: 'Resume' });
  if (await resume.isVisible()) await resume.click();
  await sleep(LOOK_MS);
}

async function tryFilter(page: Page): Promise<void> {
  await page.keyboard.press('/');
  for (const key of 'port=80') {
    await page.keyboard.press(key);
    await sleep(LOOK_MS / 2);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('combobox', { name: 'Filter' }).fill('');
  await page.keyboard.press('Escape');
  await sleep(LOOK_MS);
}

/** Runs in the page: the longest event of each interaction, in milliseconds until the frame after it. */
function watchInteractions(): void {
  const all = new Map<number, Interaction>();
  const note = (event: PerformanceEventTiming & { interactionId?: number }) => {
    const { interactionId, name, duration, target, startTime, processingStart, processingEnd } = event;
    if (!interactionId || (all.get(interactionId)?.milliseconds ?? -1) >= duration) return;
    const on = target instanceof Element ? (target.getAttribute('role') ?? target.localName) : '';
    all.set(interactionId, {
      kind: `${name} ${on}`.trim(),
      milliseconds: duration,
      waited: Math.round(processingStart - startTime),
      ran: Math.round(processingEnd - processingStart),
    });
  };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) note(entry as PerformanceEventTiming);
  });
  observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  Object.assign(globalThis, { waggleInteractions: all });
}
