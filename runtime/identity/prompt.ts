/**
 * The draft's prompt normalization, which makes two renderings of one prompt hash alike (A-JWT §5.3.1). Its
 * reference is Python, so white space is what Python's `str.isspace` and `\s` call white space: U+001C–U+001F
 * and U+0085 are, U+180E and U+FEFF are not. Normalization hides meaning (indentation carries it), which is
 * why agents of ours also carry the digest of the exact prompt (live-agent.ts).
 */

/** Strips every line and drops the empty ones.
 * That is all of the draft's five rules: strip; CRLF → LF; `\n\s*\n` → `\n`; strip every line; drop empty lines.
 * A carriage return before a line's end, and all that the third rule removes, is white space at a line's end.
 * Takes time linear in the length. Never throws.
 * @see PROTOCOL 2.1
 */
export function normalizePrompt(text: string): string {
  return text
    .split('\n')
    .map(strip)
    .filter((line) => line !== '')
    .join('\n')
}

// Not a regular expression: `\s+$` takes quadratic time on a long run of blanks inside the text.
function strip(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit >= 0x1c
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0
  if (unit <= 0x200a) return unit === 0x1680 || unit >= 0x2000
  return unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000
}
