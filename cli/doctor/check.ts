/** `missing` is needed to run Waggle; `limited` costs a part of it, which the detail names. */
export type CheckStatus = 'ok' | 'limited' | 'missing';

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in one line. */
  readonly detail: string;
  /** What to do about it; empty when all is well. */
  readonly fix: string;
}

export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, fix: '' };
}

export function limited(name: string, detail: string, fix: string): Check {
  return { name, status: 'limited', detail, fix };
}

export function missing(name: string, detail: string, fix: string): Check {
  return { name, status: 'missing', detail, fix };
}
