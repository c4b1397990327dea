import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Benchmark, Figure } from '../benchmark.ts';
import { openLargeMap } from '../large-map-page.ts';
import { Person } from '../person.ts';
import { median, quantile } from '../statistics.ts';

/** As Core Web Vitals take it: the slowest interaction, one of every fifty left out. */
export const interactions: Benchmark = {
  name: 'interactions',
  about: 'from a click or key until the next frame is painted, on a map of 1,000 cards and its table at 50,000 flows/s',
  needs: ['chromium'],
  seconds: { full: 480, quick: 200 },
  async measure(context): Promise<Figure[]> {
    const { page, cards, rate } = await openLargeMap(context, '');
    await page.getByRole('table', { name: /^Flows/ }).waitFor();
    const person = await Person.before(page);
    await sleep(3_000);
    for (let round = 0; round < (context.quick ? 1 : 3); round++) {
      context.progress(`round ${round + 1}`);
      await tryMap(page, person);
      await tryPanel(page, person);
      await tryTable(page, person);
      await tryFilter(page, person);
      await tryPalette(person);
    }
    await sleep(1_000);
    const told = await person.interactions();
    const all = told.map(({ milliseconds }) => milliseconds);
    const slowest = told
      .slice(0, 3)
      .map(({ step, milliseconds, waited, ran }) => `${step} ${milliseconds} (waited ${waited}, ran ${ran})`);
    const flows = Math.round(rate()).toLocaleString('en');
    return [
      {
        name: 'INP',
        value: all[Math.min(all.length - 1, Math.floor(all.length / 50))],
        unit: 'ms',
        goal: { atMost: 200 },
        samples: all,
        note: `${all.length} clicks and keys, ${cards.toLocaleString('en')} cards, ${flows} flows/s; the slowest: ${slowest.join('; ')}`,
      },
      { name: 'p75', value: quantile(all, 0.75), unit: 'ms', samples: all },
      { name: 'median', value: median(all), unit: 'ms', samples: all },
    ];
  },
};

async function tryMap(page: Page, person: Person): Promise<void> {
  const tree = page.getByRole('tree', { name: 'Service map' });
  for (const name of ['Zoom in', 'Zoom in', 'Zoom out']) {
    await person.does(name, () => page.getByRole('button', { name }).click());
  }
  for (const share of [0.3, 0.5, 0.7]) {
    const { width, height } = (await page.getByRole('region', { name: 'Map' }).boundingBox())!;
    await person.does(`click at ${share * 100} % of the map`, () => page.mouse.click(width * share, height * share));
    await person.presses('Escape', 'on the map');
  }
  await tree.getByRole('treeitem').first().focus();
  // Last, nothing is selected: the table shows all flows.
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown', '+', '-', '0', 'Escape']) {
    await person.presses(key, 'on the map');
  }
  const options = page.getByRole('button', { name: 'What the map shows' });
  await person.does('open the map’s options', () => options.click());
  await person.presses('Escape', 'in the map’s options');
}

/** Of one card after another, the details beside the map. */
async function tryPanel(page: Page, person: Person): Promise<void> {
  for (const what of ['open the details', 'other details', 'other details']) {
    const [x, y] = await cardInView(page);
    await person.does(what, () => page.mouse.click(x, y), 2);
  }
  await page.getByRole('complementary', { name: 'Details' }).waitFor();
  const connects = page.getByRole('complementary', { name: 'Details' }).getByRole('table').getByRole('button').first();
  await person.does('follow a link of the details', () => connects.click(), 2);
  await page.getByRole('tree', { name: 'Service map' }).getByRole('treeitem').first().focus();
  await person.presses('Escape', 'with details open', 2);
}

/** The middle of a card in view that is not selected, in pixels of the page: each time that of another, as long as there are any. */
async function cardInView(page: Page): Promise<readonly [x: number, y: number]> {
  const place = await page.evaluate((among) => {
    const { left, right, top, bottom } = document.querySelector('section[aria-label=Map]')!.getBoundingClientRect();
    const places = [...document.querySelectorAll('[data-card][aria-selected=false]')].flatMap((card) => {
      const box = card.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      // What lies over the map is at its edges.
      return x > left + 100 && x < right - 100 && y > top + 60 && y < bottom - 60 ? [[x, y] as const] : [];
    });
    return places[Math.floor(places.length * among)];
  }, nextShare());
  if (place === undefined) throw new Error('no card is in view');
  return place;
}

/** 0 to 1, well spread, the same in each run. */
const nextShare = (() => {
  let at = 0;
  return () => {
    at = (at + 0.381966) % 1;
    return at;
  };
})();

async function tryTable(page: Page, person: Person): Promise<void> {
  const table = page.getByRole('table', { name: /^Flows/ });
  const bar = page.getByRole('toolbar', { name: 'Flow table' });
  // The first below the header.
  const row = table.getByRole('row').nth(1);
  await row.waitFor();
  await person.does('Pause', () => bar.getByRole('button', { name: 'Pause' }).click());
  await person.does('open a flow', () => row.click());
  for (const key of ['ArrowDown', 'ArrowDown', 'PageDown', 'Escape']) await person.presses(key, 'in the table');
  // By verdict, the other way around, and by arrival again.
  const verdict = table.getByRole('columnheader', { name: 'Verdict', exact: true }).getByRole('button');
  for (let press = 0; press < 3; press++) await person.does('sort by verdict', () => verdict.click(), 2);
  const resume = bar.getByRole('button', { name: 'Resume' });
  if (await resume.isVisible()) await person.does('Resume', () => resume.click());
}

async function tryFilter(page: Page, person: Person): Promise<void> {
  await person.presses('/', 'to filter', 0.5);
  await person.types('port=80', 'in the filter');
  await page.keyboard.press('Escape');
  await page.getByRole('combobox', { name: 'Filter' }).fill('');
  await person.presses('Escape', 'in the filter');
}

async function tryPalette(person: Person): Promise<void> {
  await person.presses('Control+k', 'for the palette');
  await person.types('app', 'in the palette');
  await person.presses('Escape', 'in the palette');
}
