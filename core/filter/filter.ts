/** Which end of a flow a condition is about: its sender (`from:`), its receiver (`to:`), or any of the two. */
export type FilterSide = 'any' | 'from' | 'to';

/**
 * One token, understood: `!from:pod=shop/web,shop/api`. Its values are canonical texts of the field; a flow passes when
 * one of them holds (a label selector: when all of them hold), or none with `negated`.
 */
export interface FilterTerm {
  readonly field: string;
  readonly side: FilterSide;
  readonly negated: boolean;
  readonly values: readonly string[];
}

/** What a view shows: flows for which every term holds. Plain data; an empty list passes everything. */
export interface Filter {
  readonly terms: readonly FilterTerm[];
}

/** What is wrong with a token, and where: characters [start, end) of the token with that index. */
export interface FilterError {
  readonly token: number;
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/** Bounds for what comes from outside. */
export const FILTER_LIMITS = { tokens: 64, tokenLength: 1024, values: 128 } as const;
