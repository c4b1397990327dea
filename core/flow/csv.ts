/**
 * Comma-separated values as of RFC 4180: lines end in CRLF, cells with a comma, a quote or a line break stand in quotes.
 * Text that a spreadsheet would take for a formula begins with an apostrophe, which shows it as text (OWASP, "CSV
 * Injection"): names come from the cluster, and a pod's owner is not to run anything on the reader's machine.
 */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

const FORMULA = /^[\t\r\n ]*[=+\-@\uff0b\uff0d\uff1d\uff20|%]|^[\t\r\n]/;

function csvCell(cell: string | number): string {
  if (typeof cell === 'number') return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
