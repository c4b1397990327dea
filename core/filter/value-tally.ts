import type { FlowColumns } from '../flow/columns.ts';
import type { FilterSide } from './filter.ts';
import type { FilterField, FilterTables } from './filter-field.ts';

/** Distinct values counted; what comes after them is not offered. */
const MOST_VALUES = 20_000;

/** Counts which values of one field the flows have that are shown to it. */
export class ValueTally {
  readonly #field: FilterField;
  readonly #side: FilterSide;
  readonly #tables: FilterTables;
  readonly #values = new Map<string, number>();
  /** Not yet in `#values`: flows by endpoint number, or by the row's own number. */
  readonly #flows = new Map<number, number>();
  /** The same, by the number of the record of layer 7. */
  readonly #asked = new Map<number, number>();

  constructor(field: FilterField, side: FilterSide, tables: FilterTables) {
    this.#field = field;
    this.#side = side;
    this.#tables = tables;
  }

  add(columns: FlowColumns, row: number): void {
    const { live } = this.#field;
    if (live === undefined) return;
    if (live.of === 'row') {
      const number = live.number(columns, row, this.#side);
      if (number !== undefined) this.#count(number);
      return;
    }
    const source = columns.source[row];
    const destination = columns.destination[row];
    if (this.#side !== 'to') this.#count(source);
    if (this.#side !== 'from' && (this.#side === 'to' || destination !== source)) this.#count(destination);
    const asked = this.#side === 'any' ? (live.asked?.number(columns, row) ?? 0) : 0;
    if (asked !== 0) this.#asked.set(asked, (this.#asked.get(asked) ?? 0) + 1);
  }

  /** Before other rows may come into the window: looks up what the numbers stand for while they do. */
  settle(): void {
    const { live } = this.#field;
    if (live === undefined) return;
    for (const [number, flows] of this.#flows) {
      const values =
        live.of === 'row' ? live.list(number, this.#tables) : live.list(this.#tables.endpoints.get(number));
      for (const value of values) this.#add(value, flows);
    }
    this.#flows.clear();
    const { layer7 } = this.#tables;
    for (const [number, flows] of this.#asked) {
      if (live.of !== 'endpoint' || live.asked === undefined || layer7 === undefined) break;
      for (const value of live.asked.list(layer7.get(number))) this.#add(value, flows);
    }
    this.#asked.clear();
  }

  /** Values that begin with what is typed, then those that contain it; the most frequent first. */
  best(typed: string, limit: number): string[] {
    this.settle();
    const folded = typed.toLowerCase();
    const ranked = [...this.#values]
      .map(([value, flows]) => ({ value, flows, at: value.toLowerCase().indexOf(folded) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => Math.min(a.at, 1) - Math.min(b.at, 1) || b.flows - a.flows || (a.value < b.value ? -1 : 1));
    const offered: string[] = [];
    for (const { value } of ranked) {
      if (offered.length >= limit) break;
      // What no token can say is of no use: a name with a comma in it.
      if (!value.includes(',') && !('problem' in this.#field.canonical(value))) offered.push(value);
    }
    return offered;
  }

  #count(number: number): void {
    this.#flows.set(number, (this.#flows.get(number) ?? 0) + 1);
  }

  #add(value: string, flows: number): void {
    const before = this.#values.get(value);
    if (before === undefined && this.#values.size >= MOST_VALUES) return;
    this.#values.set(value, (before ?? 0) + flows);
  }
}
