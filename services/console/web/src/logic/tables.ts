/** Cells for a spreadsheet's paste: tabs between, no tab or line break within. */
export function asTabs(cells: readonly (readonly string[])[]): string {
  return cells.map((row) => row.map((c) => c.replace(/\s+/g, ' ').trim()).join('\t')).join('\n');
}

// A cell that begins like a formula would be calculated by a spreadsheet: a quote in front keeps it a text.
const guarded = (cell: string): string => (/^[=+\-@\t]/.test(cell) ? `'${cell}` : cell);

/** A CSV file as spreadsheets read it: a byte order mark for the Chinese, quotes where they are needed. */
export function asCsv(cells: readonly (readonly string[])[]): string {
  const quoted = (cell: string) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `\ufeff${cells.map((row) => row.map((c) => quoted(guarded(c))).join(',')).join('\r\n')}\r\n`;
}
