import { type FilterPart, isOneOf } from './filter-part.ts';

/** `verdict`. */
export const verdictFilter: FilterPart = ({ verdict }) => (verdict.length === 0 ? [] : [isOneOf('verdict', verdict)]);
