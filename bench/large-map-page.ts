import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startBackend } from '#backend/start.ts';
import { buildWeb } from '../scripts/build-web.ts';
import { LARGE_MAP_MIX, unfoldLargeMap } from '../scripts/large-map.ts';
import type { BenchmarkContext } from './benchmark.ts';
import { openBrowserPage } from './browser-page.ts';
import type { FakePeer } from './fake-peers.ts';

const PEERS = fileURLToPath(new URL('./steady-peers.ts', import.meta.url));

export interface LargeMapPage {
  readonly page: Page;
  readonly cards: number;
  /** Flows per second that the backend takes in. */
  rate(): number;
}

/** A page in Chromium before a map of 1,000 cards that lie open, while flows go on coming. `query`: of its address. */
export async function openLargeMap(context: BenchmarkContext, query: string): Promise<LargeMapPage> {
  const pageFolder = await buildWeb(context.progress);
  const backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', pageFolder });
  context.cleanUp(() => backend.close());
  backend.relay.follow(await startPeers(context));
  const page = await openBrowserPage(context);
  await page.goto(`${backend.url}${query}`);
  context.progress('unfolding 1,000 cards');
  const cards = await unfoldLargeMap(page, 60_000);
  return { page, cards, rate: () => backend.relay.rate.perSecond() };
}

function startPeers(context: BenchmarkContext): Promise<FakePeer[]> {
  const child = fork(PEERS, LARGE_MAP_MIX, { execArgv: [], silent: true });
  context.cleanUp(() => {
    child.kill();
  });
  return new Promise((resolve, reject) => {
    child.once('message', (peers) => resolve(peers as FakePeer[]));
    child.once('exit', (code) => reject(new Error(`the agents ended with status ${code}`)));
  });
}
