import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type CDPSession, chromium } from 'playwright-core';
import { LARGE_MAP, LARGE_MAP_MIX, unfoldLargeMap } from './large-map.ts';

const ROOT = join(import.meta.dirname, '..');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** A short run takes its samples more often: each quarter has two at least. */
const MAX_SAMPLE_MS = 30_000;
const MIN_SAMPLES = 8;
/** Growth from the third quarter of the run, when its windows are full, to the last that is taken for a leak. */
const MAX_GROWTH = 0.1;

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/**
 * Watches a large map in a real browser for so many minutes, and what its page and workers hold after a garbage collection.
 * Returns what is wrong.
 */
export async function soakPage(minutes: number, signal: AbortSignal, say: (text: string) => void): Promise<string[]> {
  const children: ChildProcess[] = [];
  let browser: Browser | undefined;
  try {
    const peers = start(children, ['bench/steady-peers.ts', ...LARGE_MAP_MIX]);
    const [, agents] = (await firstLine(peers, /--agent (\S+)/))!;
    const backend = start(children, [
      ...['cli/waggle.ts', 'backend', '--listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0', '--agent', agents],
    ]);
    const [url] = (await firstLine(backend, /http:\/\/[^\s"]+/))!;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(url);
    const cards = await unfoldLargeMap(page);
    say(`${minutes} minutes of a map of ${cards} cards at ${LARGE_MAP.flowsPerSecond} flows/s offered`);
    const held = await sample(browser, minutes, signal, say);
    const quarters = [1, 2, 3, 4].map((nth) => middle(quarter(held, nth))?.toFixed(1) ?? '–');
    say(`page: ${quarters.join(', ')} MB in the middle of each quarter`);
    return judge(held);
  } finally {
    await browser?.close();
    for (const child of children) child.kill('SIGTERM');
  }
}

function start(children: ChildProcess[], argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...argv], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, WAGGLE_LOG_LEVEL: 'info' },
  });
  children.push(child);
  return child;
}

/** The first match in what a child says. Rejects when it ends before. */
async function firstLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const found = new Promise<RegExpExecArray>((resolve) => {
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        const match = pattern.exec(line);
        if (match !== null) resolve(match);
      });
    }
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${child.spawnargs[2]} ended with status ${code}`);
  });
  return Promise.race([found, ended]);
}

/** Megabytes held, one figure per sample. */
async function sample(browser: Browser, minutes: number, signal: AbortSignal, say: (text: string) => void) {
  const session = await browser.newBrowserCDPSession();
  const held: number[] = [];
  const until = performance.now() + minutes * 60_000;
  while (performance.now() < until && !signal.aborted) {
    await sleep(Math.min(MAX_SAMPLE_MS, (minutes * 60_000) / MIN_SAMPLES), undefined, { signal }).catch(() => {});
    const { targetInfos } = await session.send('Target.getTargets');
    const parts: string[] = [];
    let total = 0;
    for (const { targetId, type } of targetInfos) {
      if (!['page', 'worker', 'shared_worker'].includes(type)) continue;
      const { usedSize, backingStorageSize = 0 } = await heapOf(session, targetId);
      total += usedSize + backingStorageSize;
      parts.push(`${type} ${((usedSize + backingStorageSize) / 1e6).toFixed(1)}`);
    }
    held.push(total / 1e6);
    say(`page: ${(total / 1e6).toFixed(1)} MB held (${parts.join(', ')})`);
  }
  return held;
}

/** After a garbage collection. */
async function heapOf(browser: CDPSession, targetId: string): Promise<HeapUsage> {
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
  try {
    await ask(browser, sessionId, 'HeapProfiler.collectGarbage');
    return (await ask(browser, sessionId, 'Runtime.getHeapUsage')) as HeapUsage;
  } finally {
    await browser.send('Target.detachFromTarget', { sessionId }).catch(() => {});
  }
}

let asked = 0;

function ask(browser: CDPSession, sessionId: string, method: string): Promise<unknown> {
  const id = ++asked;
  const answer = new Promise((resolve, reject) => {
    const hear = (event: { sessionId: string; message: string }) => {
      const message = JSON.parse(event.message) as { id?: number; result?: unknown; error?: { message: string } };
      if (event.sessionId !== sessionId || message.id !== id) return;
      browser.off('Target.receivedMessageFromTarget', hear);
      if (message.error === undefined) resolve(message.result);
      else reject(new Error(`${method}: ${message.error.message}`));
    };
    browser.on('Target.receivedMessageFromTarget', hear);
  });
  const message = JSON.stringify({ id, method, params: {} });
  return browser.send('Target.sendMessageToTarget', { message, sessionId }).then(() => answer);
}

function judge(held: readonly number[]): string[] {
  const [warm, last] = [middle(quarter(held, 3)), middle(quarter(held, 4))];
  if (warm === undefined || last === undefined) return ['there was no time for enough samples of the page'];
  const growth = last / warm - 1;
  return growth > MAX_GROWTH ? [`the page grew by ${(100 * growth).toFixed(0)} % after it had warmed up`] : [];
}

/** The nth of four, from 1. */
function quarter(held: readonly number[], nth: number): readonly number[] {
  return held.slice((held.length * (nth - 1)) / 4, (held.length * nth) / 4);
}

/** One sample in the middle of what a garbage collection leaves is worth little: between two, flows come in. */
function middle(samples: readonly number[]): number | undefined {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)];
}
