import { parseFilter } from '#core/filter/parse-filter.ts';
import { printTerm } from '#core/filter/print-filter.ts';
import type { FlowFact } from './shown-flow.ts';

/** One value of a flow's details, with the filters that ask for it; none for an empty text. */
export function fact(section: FlowFact['section'], name: string, text: string, ...filters: string[]): FlowFact[] {
  return text === '' ? [] : [{ section, name, text, tokens: tokens(...filters) }];
}

/** The tokens as filters print them; none where the value cannot be asked for. */
function tokens(...texts: readonly string[]): string[] {
  return parseFilter(texts).filter.terms.map(printTerm);
}
