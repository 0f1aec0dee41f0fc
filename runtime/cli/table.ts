/** Columns of text for people. */
import { printableLine } from './progress.js'

/** @param rows the first is the head; all have as many cells */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => printableLine(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const [head, ...body] = rows
  if (!head) return ''
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)].join('\n')
}
