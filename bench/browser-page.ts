import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import type { BenchmarkContext } from './benchmark.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];

/** An empty page in a real Chromium with an empty cache. Closed with the benchmark. */
export async function openBrowserPage(context: BenchmarkContext): Promise<Page> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is not installed: apt-get install chromium`);
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  context.cleanUp(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(45_000);
  return page;
}
