import { printMapOptions, readMapOptions } from './map-options.ts';
import { printPolicyOptions, readPolicyOptions } from './policy-options.ts';
import { printServiceOptions, readServiceOptions } from './service-options.ts';
import { printTableOptions, readTableOptions } from './table-options.ts';
import type { UrlProblem } from './url-problem.ts';
import { DEFAULT_VIEW, VERDICT_FILTERS, VIEW_MODES, type View } from './view.ts';

const MOST_NAMESPACES = 1_000;
/** Of filters in a view: the server takes one more, the verdict that is chosen beside them. */
export const MOST_TOKENS = 63;
const THEMES = ['dark', 'light', 'system'] as const;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads `?namespace=a,b&filter=…&filter=…&verdict=&view=&select=&embed=&theme=` and those of map, table and policies
 * (`map-options.ts`, `table-options.ts`, `policy-options.ts`). Never throws;
 * unknown parameters are left alone.
 */
export function parseView(search: string): { view: View; problems: UrlProblem[] } {
  const parameters = new URLSearchParams(search);
  const problems: UrlProblem[] = [];
  const choice = <T extends string>(parameter: string, choices: readonly T[], fallback: T): T => {
    const value = parameters.get(parameter);
    if (value === null || value === '') return fallback;
    const found = choices.find((each) => each === value);
    if (found !== undefined) return found;
    problems.push({ parameter, value, message: `there are ${choices.filter((each) => each !== '').join(', ')}` });
    return fallback;
  };
  /** The key of a card or an arrow, of which a path is part. */
  const cardKey = (parameter: string): string | null => {
    const value = parameters.get(parameter) || null;
    if (value === null || value.includes('/')) return value;
    problems.push({ parameter, value, message: 'not the key of a card' });
    return null;
  };
  const namespaces = new Set<string>();
  for (const value of (parameters.get('namespace') ?? '').split(',').filter((each) => each !== '')) {
    if (!NAMESPACE.test(value)) {
      problems.push({ parameter: 'namespace', value, message: 'not the name of a namespace' });
    } else if (namespaces.size >= MOST_NAMESPACES) {
      problems.push({ parameter: 'namespace', value, message: `more than ${MOST_NAMESPACES} namespaces` });
      break;
    } else {
      namespaces.add(value);
    }
  }
  const filter = [...new Set(parameters.getAll('filter').map((token) => token.trim()))].filter((token) => token !== '');
  if (filter.length > MOST_TOKENS) {
    problems.push({ parameter: 'filter', value: filter[MOST_TOKENS], message: `more than ${MOST_TOKENS} filters` });
    filter.length = MOST_TOKENS;
  }
  const embed = parameters.has('embed') ? choice('embed', ['map', 'table', '1'] as const, 'map') : null;
  const mode = choice('view', VIEW_MODES, DEFAULT_VIEW.mode);
  const theme = parameters.has('theme') ? choice('theme', ['', ...THEMES] as const, '') : '';
  return {
    problems,
    view: {
      namespaces: [...namespaces],
      filter,
      verdict: choice('verdict', VERDICT_FILTERS, DEFAULT_VIEW.verdict),
      mode,
      select: cardKey('select'),
      // `embed=1`: what the whole page shows there.
      embed: embed === '1' ? (mode === 'table' ? 'table' : 'map') : embed,
      theme: theme === '' ? undefined : theme,
      map: readMapOptions(parameters, choice, problems),
      table: readTableOptions(parameters, problems),
      policies: readPolicyOptions(parameters, choice),
      services: readServiceOptions(parameters),
    },
  };
}

/** The query part of the view's URL, with its question mark; empty for the default view. */
export function printView(view: View): string {
  const parts: string[] = [];
  const add = (parameter: string, value: string) => parts.push(`${parameter}=${readable(value)}`);
  if (view.namespaces.length > 0) add('namespace', view.namespaces.join(','));
  for (const token of view.filter) add('filter', token);
  if (view.verdict !== DEFAULT_VIEW.verdict) add('verdict', view.verdict);
  if (view.mode !== DEFAULT_VIEW.mode) add('view', view.mode);
  if (view.select !== null) add('select', view.select);
  printMapOptions(view.map, add);
  printTableOptions(view.table, add);
  printPolicyOptions(view.policies, add);
  printServiceOptions(view.services, add);
  if (view.embed !== null) add('embed', view.embed);
  if (view.theme !== undefined) add('theme', view.theme);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Encodes no more than needed: people read and edit these. */
function readable(value: string): string {
  return encodeURIComponent(value)
    .replaceAll('%2F', '/')
    .replaceAll('%2C', ',')
    .replaceAll('%3A', ':')
    .replaceAll('%3D', '=')
    .replaceAll('%3E', '>')
    .replaceAll('%40', '@')
    .replaceAll('%20', '+');
}
