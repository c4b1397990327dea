import { terminalText } from './terminal-text.ts';

/** Rows as lines with columns of equal width, three spaces apart. All have as many cells as the first; nothing in them is obeyed by a terminal. */
export function textTable(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(terminalText));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}
