/**
 * Renews the pictures in the README from a running demo: docs/screenshot-dark.png and docs/screenshot-light.png, 1440 × 900.
 *
 *     npm run screenshots [-- --url http://127.0.0.1:12000]
 *
 * Without a URL it starts a demo of its own: real traffic where eBPF can be used, else the recording.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const ROOT = join(import.meta.dirname, '..');
const READY_MS = 180_000;
/** Rates are means over ten seconds; the small charts need a while to have something to show. */
const SETTLE_MS = 40_000;
const TIDY_MS = 2_000;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const { values } = parseArgs({ options: { url: { type: 'string' } } });
const demo = values.url === undefined ? await startDemo() : undefined;
let browser: Browser | undefined;
try {
  const url = values.url ?? demo!.url;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  for (const theme of ['dark', 'light'] as const) await picture(browser, url, theme);
} finally {
  await browser?.close();
  await demo?.stop();
}

async function picture(browser: Browser, url: string, theme: 'dark' | 'light'): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${url}/?theme=${theme}`);
  const map = page.getByRole('tree', { name: 'Service map' });
  // With the panel open, as a person would have it after a look around.
  await map.getByRole('treeitem', { name: /^productpage(-v1)?,/ }).focus();
  await page.keyboard.press('Enter');
  await page
    .getByRole('complementary', { name: 'Details' })
    .getByRole('heading', { name: /^productpage/ })
    .waitFor();
  await page.mouse.move(0, 0);
  await sleep(SETTLE_MS);
  // Who was first seen meanwhile took what place was left.
  await page.getByRole('button', { name: /^Tidy/ }).click();
  await page.getByRole('button', { name: 'Fit the whole map' }).click();
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await sleep(TIDY_MS);
  const path = join(ROOT, `docs/screenshot-${theme}.png`);
  await page.screenshot({ path });
  process.stderr.write(`waggle: ${path}\n`);
  await context.close();
}

async function startDemo(): Promise<{ url: string; stop(): Promise<void> }> {
  const argv = [
    'cli/waggle.ts',
    'demo',
    '--name',
    'screenshots',
    '--listen',
    '127.0.0.1:0',
    '--grpc-listen',
    '127.0.0.1:0',
  ];
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGINT');
    await ended(child);
  };
  try {
    return { url: await address(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(new Error(`the demo is not ready after ${READY_MS / 1000} s`)), READY_MS);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /http:\/\/\S+/.exec(said)?.[0];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
    child.once('exit', () => {
      clearTimeout(late);
      reject(new Error('the demo ended before it was ready'));
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}
