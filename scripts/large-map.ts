import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/** A map of 1,000 cards and 5,000 edges at 50,000 flows/s, as `bench/steady-peers.ts` makes it: five pods to a workload. */
export const LARGE_MAP = {
  nodes: 25,
  podsPerNode: 200,
  flowsPerSecond: 50_000,
  shareNotForwarded: 0.02,
  /** Workloads that each one calls; with the world's calls to each workload and its calls to the world it is 5,000 edges. */
  callees: 3,
  leastCards: 1_000,
} as const;

const { nodes, podsPerNode, flowsPerSecond, shareNotForwarded, callees, leastCards } = LARGE_MAP;

/** Arguments of `bench/steady-peers.ts`. */
export const LARGE_MAP_MIX: readonly string[] = [nodes, podsPerNode, flowsPerSecond, shareNotForwarded, callees].map(
  String,
);

/** Opens every plate of the map that a page shows. Returns how many cards there are then; rejects when they are too few. */
export async function unfoldLargeMap(page: Page, withinMs = 120_000): Promise<number> {
  const cards = page.locator('[data-card]');
  await cards.first().waitFor({ state: 'attached', timeout: withinMs });
  await page.getByRole('button', { name: 'What the map shows' }).click();
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(1_000)) {
    const unfoldAll = page.getByRole('button', { name: 'Unfold all' });
    // Between the look and the click the last plate may have opened: then there is nothing to press any more.
    if (await unfoldAll.isEnabled()) await unfoldAll.click({ timeout: 2_000 }).catch(() => {});
    if ((await cards.count()) >= leastCards) break;
  }
  await page.keyboard.press('Escape');
  const count = await cards.count();
  if (count < leastCards) throw new Error(`the map has only ${count} cards`);
  return count;
}
