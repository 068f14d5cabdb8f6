/** A table in Markdown; what would break a cell is escaped. */
export function renderTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return `${line(titles)}|${"---|".repeat(titles.length)}\n${rows.map(line).join("")}`;
}
