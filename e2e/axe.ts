import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Result {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/**
 * What axe finds wrong on the page once nothing moves, best practices included: one line for each element, with the rule. `rules` are
 * the only ones looked at, if given.
 */
export async function axeFindings(page: Page, ...rules: readonly string[]): Promise<string[]> {
  // By the debugger, which the page's content security policy does not bind.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(SOURCE);
  const { violations } = await page.evaluate(async (only) => {
    // A menu that is fading in, which begins a frame after it is there, has the contrast of neither before nor after.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const moving = document
      .getAnimations()
      .filter(({ effect, playState }) => playState === 'running' && effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map(({ finished }) => finished));
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<Result> } };
    return axe.run({ resultTypes: ['violations'], ...(only.length > 0 ? { runOnly: only } : {}) });
  }, rules);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => {
      const why = failureSummary.split('\n').slice(1).join(' ').replace(/\s+/g, ' ').trim();
      return `${id} (${help}): ${html.slice(0, 240)} – ${why}`;
    }),
  );
}
