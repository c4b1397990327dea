/** A table is as wide as its rows need; of a longer one, or one that is followed, as the rows before need. */
const ROWS_MEASURED = 10_000;

/** A table for terminals whose rows wait until enough of them are there to tell how wide it is. Colours take no room. */
export class MeasuredTable {
  #waiting: string[][];
  #widths: number[] | undefined;
  #empty = true;

  constructor(heading: readonly string[]) {
    this.#waiting = [[...heading]];
  }

  /** The lines that can be printed now; often none. A row has as many cells as the heading. */
  add(cells: string[]): string {
    this.#empty = false;
    this.#waiting.push(cells);
    return this.#widths === undefined && this.#waiting.length <= ROWS_MEASURED ? '' : this.flush();
  }

  /** The lines that wait; of a table without rows none. They settle how wide it is. */
  flush(): string {
    if (this.#empty) return '';
    const rows = this.#waiting;
    this.#waiting = [];
    if (rows.length === 0) return '';
    this.#widths ??= rows[0].map((_, column) => Math.max(...rows.map((row) => visibleLength(row[column]))) + 3);
    const widths = this.#widths;
    const padded = (cell: string, column: number) =>
      column === widths.length - 1 ? cell : cell + ' '.repeat(Math.max(1, widths[column] - visibleLength(cell)));
    return rows.map((row) => `${row.map(padded).join('')}\n`).join('');
  }
}

const ESCAPE = '\u001b';

function visibleLength(text: string): number {
  if (!text.includes(ESCAPE)) return text.length;
  return text
    .split(ESCAPE)
    .reduce((sum, part, index) => sum + (index === 0 ? part : part.slice(part.indexOf('m') + 1)).length, 0);
}
