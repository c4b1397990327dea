import type { UrlProblem } from './url-problem.ts';

export type GroupBy = 'namespace' | 'workload' | 'app' | 'node';
/** After how much silence arrows and cards leave the map. */
export type QuietTime = '15s' | '30s' | '1m' | '2m' | '5m';

/** What the width of an arrow stands for. */
export type ArrowWidth = 'flows' | 'bytes';

export const GROUP_BY: readonly GroupBy[] = ['namespace', 'workload', 'app', 'node'];
export const QUIET_TIMES: readonly QuietTime[] = ['15s', '30s', '1m', '2m', '5m'];
export const ARROW_WIDTHS: readonly ArrowWidth[] = ['flows', 'bytes'];
export const QUIET_WORDS: Record<QuietTime, string> = {
  '15s': '15 seconds',
  '30s': '30 seconds',
  '1m': '1 minute',
  '2m': '2 minutes',
  '5m': '5 minutes',
};
export const MOST_HOPS = 5;

/** How the map shows what the view holds. Part of the URL. */
export interface MapOptions {
  readonly group: GroupBy;
  /** Key of the label whose value names a card; empty = the workload's own name. */
  readonly nameLabel: string;
  /** Only the neighbourhood of this card; null = everything. */
  readonly focus: string | null;
  /** Arrows from the focus to the farthest card shown, whichever way they point. */
  readonly hops: number;
  /** Expressions (web/graph/expression.ts): what stands out, and what is left out. */
  readonly find: string;
  readonly hide: string;
  readonly quiet: QuietTime;
  /** Also what policies allow, and nobody does. */
  readonly reach: boolean;
  /** Services stand between clients and backends. */
  readonly services: boolean;
  readonly width: ArrowWidth;
}

export const DEFAULT_MAP_OPTIONS: MapOptions = {
  group: 'namespace',
  nameLabel: '',
  focus: null,
  hops: 1,
  find: '',
  hide: '',
  quiet: '5m',
  reach: false,
  services: false,
  width: 'flows',
};

const MOST_TEXT = 500;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Reads `?group=&name=&focus=&hops=&find=&hide=&quiet=&reach=&services=&width=`. */
export function readMapOptions(
  parameters: URLSearchParams,
  choice: <T extends string>(parameter: string, choices: readonly T[], fallback: T) => T,
  problems: UrlProblem[],
): MapOptions {
  const nameLabel = parameters.get('name') ?? '';
  const isLabel = nameLabel === '' || LABEL_KEY.test(nameLabel);
  if (!isLabel) problems.push({ parameter: 'name', value: nameLabel, message: 'not the key of a label' });
  const hops = Array.from({ length: MOST_HOPS }, (_, index) => String(index + 1));
  return {
    group: choice('group', GROUP_BY, DEFAULT_MAP_OPTIONS.group),
    nameLabel: isLabel ? nameLabel : '',
    focus: parameters.get('focus') || null,
    hops: Number(choice('hops', hops, String(DEFAULT_MAP_OPTIONS.hops))),
    find: (parameters.get('find') ?? '').slice(0, MOST_TEXT),
    hide: (parameters.get('hide') ?? '').slice(0, MOST_TEXT),
    quiet: choice('quiet', QUIET_TIMES, DEFAULT_MAP_OPTIONS.quiet),
    reach: choice('reach', ['', '1'] as const, '') === '1',
    services: choice('services', ['', '1'] as const, '') === '1',
    width: choice('width', ARROW_WIDTHS, DEFAULT_MAP_OPTIONS.width),
  };
}

export function printMapOptions(options: MapOptions, add: (parameter: string, value: string) => void): void {
  if (options.group !== DEFAULT_MAP_OPTIONS.group) add('group', options.group);
  if (options.nameLabel !== '') add('name', options.nameLabel);
  if (options.focus !== null) {
    add('focus', options.focus);
    if (options.hops !== DEFAULT_MAP_OPTIONS.hops) add('hops', String(options.hops));
  }
  if (options.find !== '') add('find', options.find);
  if (options.hide !== '') add('hide', options.hide);
  if (options.quiet !== DEFAULT_MAP_OPTIONS.quiet) add('quiet', options.quiet);
  if (options.reach) add('reach', '1');
  if (options.services) add('services', '1');
  if (options.width !== DEFAULT_MAP_OPTIONS.width) add('width', options.width);
}

export function quietMs(quiet: QuietTime): number {
  return Number.parseInt(quiet, 10) * (quiet.endsWith('m') ? 60_000 : 1_000);
}
