import { type FilterPart, nowhere } from './filter-part.ts';

/** `encrypted`: no flow of ours is. */
export const encryptedFilter: FilterPart = ({ encrypted }) =>
  encrypted.length === 0 || encrypted.includes(false) ? [] : [nowhere];
