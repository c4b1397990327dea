/** A closed list of numbered names: the one table from which parsing and printing of an enumeration derive. */
export interface Vocabulary {
  /** What the names stand for, for messages: "verdict". */
  readonly subject: string;
  /** Every name, in the table's order. */
  readonly names: readonly string[];
  /** The name of a number; `UNKNOWN(n)` where the table has none. */
  name(value: number): string;
  /** The number of a name, letter case and `-`/`_`/space alike; undefined where the table has none. */
  parse(name: string): number | undefined;
}

/** @param table names in capitals with `_`, by which they are printed; of several with one number the first */
export function vocabulary(subject: string, table: Readonly<Record<string, number>>): Vocabulary {
  const byNumber = new Map<number, string>();
  const byName = new Map<string, number>();
  for (const [name, value] of Object.entries(table)) {
    if (!byNumber.has(value)) byNumber.set(value, name);
    byName.set(folded(name), value);
  }
  return {
    subject,
    names: Object.keys(table),
    name: (value) => byNumber.get(value) ?? `UNKNOWN(${value})`,
    parse: (name) => byName.get(folded(name)),
  };
}

function folded(name: string): string {
  return name.trim().toUpperCase().replaceAll('-', '_').replaceAll(' ', '_');
}
