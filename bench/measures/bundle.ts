import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startBackend } from '#backend/start.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { openBrowserPage } from '../browser-page.ts';
import { startCountingProxy } from '../counting-proxy.ts';
import { startFakePeers } from '../start-fake-peers.ts';

interface ManifestEntry {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
}

export const bundle: Benchmark = {
  name: 'bundle',
  about: 'JavaScript that the page loads, gzipped, until its frame answers and until the first map is drawn',
  needs: ['chromium'],
  seconds: { full: 90, quick: 90 },
  async measure(context): Promise<Figure[]> {
    const folder = await buildWeb(context.progress);
    const peers = await startFakePeers(context, { peers: 2, podsPerPeer: 10, flowsPerPeer: 5_000, rowsPerBatch: 250 });
    const backend = await startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      agents: peers,
      pageFolder: folder,
    });
    context.cleanUp(() => backend.close());
    const proxy = await startCountingProxy(backend.url, context);
    const page = await openBrowserPage(context);
    await page.goto(proxy.url);
    await page.getByRole('status').first().waitFor();
    await page
      .getByRole('treeitem')
      .or(page.getByRole('button', { name: /^service-\d/ }))
      .first()
      .waitFor();
    // What is loaded behind the first map begins to be when the page has painted it.
    const { drawnMs, moment } = await page.evaluate(firstMap);
    const loaded = proxy.pathsUntil(moment).filter((path) => path.endsWith('.js'));
    const paintMs = await page.evaluate(largestPaint);

    const size = (paths: readonly string[]) =>
      paths.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path)), { level: 9 }).length, 0) / 1000;
    const shell = shellOf(folder);
    for (const path of shell) {
      if (!loaded.includes(path))
        throw new Error(`the page was drawn without ${path}, which its frame is said to need`);
    }
    const list = (paths: readonly string[]) =>
      paths.map((path) => `${path.replace(/^\/assets\/|-[^-]*\.js$/g, '')} ${size([path]).toFixed(0)}`).join(', ');
    return [
      {
        name: 'frame',
        value: size(shell),
        unit: 'kB',
        goal: { atMost: 150 },
        samples: [size(shell)],
        note: `the entry and what it imports: ${list(shell)}`,
      },
      {
        name: 'first map',
        value: size(loaded),
        unit: 'kB',
        goal: { atMost: 350 },
        samples: [size(loaded)],
        note: `all that Chromium asked for until it was painted, workers included; besides the frame ${list(loaded.filter((path) => !shell.includes(path)))}`,
      },
      {
        name: 'largest paint',
        value: paintMs,
        unit: 'ms',
        goal: { atMost: 1000 },
        samples: [paintMs],
        note: `LCP on loopback, empty cache; first map after ${drawnMs.toFixed(0)} ms`,
      },
    ];
  },
};

/** The entry's script and those it cannot start without. */
function shellOf(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    ManifestEntry
  >;
  const files = new Set<string>();
  const add = (name: string) => {
    const { file, imports = [] } = manifest[name];
    if (files.has(`/${file}`)) return;
    files.add(`/${file}`);
    for (const imported of imports) add(imported);
  };
  for (const [name, entry] of Object.entries(manifest)) if (entry.isEntry) add(name);
  return [...files].filter((file) => file.endsWith('.js'));
}

/** Runs in the page: when the first map was seen, in milliseconds since it was opened and since 1970. */
function firstMap(): Promise<{ drawnMs: number; moment: number }> {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      const mark = list.getEntriesByName('first-map')[0];
      if (mark === undefined) return;
      observer.disconnect();
      resolve({ drawnMs: mark.startTime, moment: performance.timeOrigin + mark.startTime });
    });
    observer.observe({ type: 'mark', buffered: true });
  });
}

/** Runs in the page. */
function largestPaint(): Promise<number> {
  return new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1)!.startTime)).observe({
      type: 'largest-contentful-paint',
      buffered: true,
    });
  });
}
