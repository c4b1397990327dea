import type { QuickHide } from '#core/filter/quick-hides.ts';
import type { HiddenCount } from '../../worker/protocol.ts';
import { canonicalToken } from './token-check.ts';

/** Whether the filter hides it: every one of its tokens stands there. */
export function isHidden(hide: QuickHide, filter: readonly string[]): boolean {
  const there = new Set(filter.map(canonicalToken));
  return hide.tokens.every((token) => there.has(canonicalToken(token)));
}

/** The filter with it hidden, or shown again. */
export function withHidden(hide: QuickHide, filter: readonly string[], hidden: boolean): string[] {
  const tokens = new Set(hide.tokens.map(canonicalToken));
  const others = filter.filter((token) => !tokens.has(canonicalToken(token)));
  return hidden ? [...others, ...hide.tokens] : others;
}

/** Flows that it hides. */
export function hiddenBy(hide: QuickHide, counts: readonly HiddenCount[]): { flows: number; flowsPerSecond: number } {
  const tokens = new Set(hide.tokens.map(canonicalToken));
  const own = counts.filter(({ token }) => tokens.has(token));
  return {
    flows: own.reduce((sum, { flows }) => sum + flows, 0),
    flowsPerSecond: own.reduce((sum, { flowsPerSecond }) => sum + flowsPerSecond, 0),
  };
}
