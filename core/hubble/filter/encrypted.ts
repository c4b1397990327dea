import { type FilterPart, ofTold } from './filter-part.ts';

/** `encrypted`: no flow of ours is. */
export const encryptedFilter: FilterPart = ({ encrypted }, tables) => {
  if (encrypted.length === 0 || (encrypted.includes(false) && tables.told === undefined)) return [];
  return [ofTold(tables, ({ IP }) => encrypted.includes(IP?.encrypted ?? false))];
};
