/**
 * Changes single values of a JSON text and leaves every other byte alone: indentation, key order, line ends,
 * byte order mark, missing final newline. An edit applies only where the text still holds what it expects.
 */
import { isDeepStrictEqual } from 'node:util'
import { AgenticError, type JsonValue } from '../../runtime/index.js'
import { type JsonEdit, keysOf } from './change.js'
import { documentStart, endOfValue, type Member, membersOf } from './json-text.js'

/** Applies edits to a JSON text.
 * @returns the new text; edits may come in any order and must not overlap
 * @throws AgenticError ERR_TOOL_FAILED when a pointer leads nowhere, a `from` is not what the text holds, two
 *   edits overlap, or a key on the way occurs twice; nothing is applied in part
 */
export function applyEdits(text: string, edits: readonly JsonEdit[]): string {
  const splices: Splice[] = []
  const root = treeOf(edits)
  if (root.children.size > 0) collect(text, documentStart(text), root, '', splices)
  splices.sort((a, b) => a.from - b.from || a.to - b.to)
  let result = ''
  let at = 0
  for (const splice of splices) {
    result += text.slice(at, splice.from) + splice.insert
    at = splice.to
  }
  return result + text.slice(at)
}

/** True when the text already holds every edit's `to`: what a repeated attempt finds. */
export function editsAreApplied(text: string, edits: readonly JsonEdit[]): boolean {
  try {
    applyEdits(
      text,
      edits.map((edit) => ({ pointer: edit.pointer, from: edit.to, to: edit.to })),
    )
    return true
  } catch (error) {
    if (error instanceof AgenticError) return false
    throw error
  }
}

interface Splice {
  readonly from: number
  readonly to: number
  readonly insert: string
}

interface Branch {
  readonly children: Map<string, Branch>
  edit?: JsonEdit
}

function treeOf(edits: readonly JsonEdit[]): Branch {
  const root: Branch = { children: new Map() }
  for (const edit of edits) {
    const keys = keysOf(edit.pointer)
    if (!keys) throw refused(edit.pointer, 'is not a JSON pointer to a member')
    let branch = root
    for (const key of keys) {
      if (branch.edit) throw refused(edit.pointer, 'lies within another edit')
      let next = branch.children.get(key)
      if (!next) {
        next = { children: new Map() }
        branch.children.set(key, next)
      }
      branch = next
    }
    if (branch.edit || branch.children.size > 0) throw refused(edit.pointer, 'is edited twice')
    branch.edit = edit
  }
  return root
}

function collect(text: string, open: number, branch: Branch, path: string, splices: Splice[]): void {
  if (text[open] !== '{') throw refused(path, 'is not an object')
  const members = membersOf(text, open)
  const removed = new Set<number>()
  const inserted: [string, JsonValue][] = []
  const places = indexByKey(members, branch, path)
  for (const [key, child] of branch.children) {
    const at = `${path}/${key}`
    const index = places.get(key)
    const member = index === undefined ? undefined : members[index]
    const edit = child.edit
    if (!edit) {
      if (!member) throw refused(at, 'is not there')
      collect(text, member.valueStart, child, at, splices)
      continue
    }
    requirePresent(text, member, edit)
    if (isDeepStrictEqual(edit.from, edit.to)) continue
    if (!member) inserted.push([key, edit.to])
    else if (edit.to === null) removed.add(index ?? -1)
    else {
      const insert = printValue(edit.to, styleOf(text, open, members))
      splices.push({ from: member.valueStart, to: member.end, insert })
    }
  }
  if (removed.size > 0 || inserted.length > 0) restructure(text, open, members, removed, inserted, splices)
}

function indexByKey(members: readonly Member[], branch: Branch, path: string): Map<string, number> {
  const places = new Map<string, number>()
  members.forEach((member, index) => {
    if (!branch.children.has(member.key)) return
    if (places.has(member.key)) throw refused(`${path}/${member.key}`, 'occurs twice in the file')
    places.set(member.key, index)
  })
  return places
}

function requirePresent(text: string, member: Member | undefined, edit: JsonEdit): void {
  const there = member !== undefined
  const expected = edit.from !== null
  if (there !== expected) throw refused(edit.pointer, there ? 'is there already' : 'is not there')
  if (!member) return
  const present: unknown = JSON.parse(text.slice(member.valueStart, member.end))
  // Through JSON, so that a null-prototype object equals a plain one.
  const from: unknown = JSON.parse(JSON.stringify(edit.from))
  if (!isDeepStrictEqual(present, from))
    throw refused(edit.pointer, 'does not hold the value the edit expects')
}

/** Removes members with the comma before them (after them, at the front), and appends new ones. */
function restructure(
  text: string,
  open: number,
  members: readonly Member[],
  removed: ReadonlySet<number>,
  inserted: readonly [string, JsonValue][],
  splices: Splice[],
): void {
  const kept = members.findIndex((_, index) => !removed.has(index))
  const style = styleOf(text, open, members)
  const fresh = inserted.map(
    ([key, value]) => `${JSON.stringify(key)}${style.colon}${printValue(value, style)}`,
  )
  const first = members[0]
  const last = members.at(-1)
  if (!first || !last || kept === -1) {
    // Nothing of the old content stays.
    const lead = style.newline === '' ? '' : style.newline + style.indent
    const tail = style.newline === '' ? '' : style.newline + style.outerIndent
    const insert = fresh.length === 0 ? '' : lead + fresh.join(`,${lead}`) + tail
    splices.push({ from: open + 1, to: endOfValue(text, open) - 1, insert })
    return
  }
  const firstKept = members[kept]
  if (kept > 0 && firstKept) splices.push({ from: first.start, to: firstKept.start, insert: '' })
  for (const index of removed) {
    const before = members[index - 1]
    const member = members[index]
    if (index > kept && before && member) splices.push({ from: before.end, to: member.end, insert: '' })
  }
  if (fresh.length > 0) {
    const insert = fresh.map((member) => `,${style.between}${member}`).join('')
    splices.push({ from: last.end, to: last.end, insert })
  }
}

/** How an object is written, taken from its members, or from its surroundings when it has none. */
interface Style {
  /** Line end inside this object; empty when it stands on one line. */
  readonly newline: string
  readonly indent: string
  readonly outerIndent: string
  readonly unit: string
  readonly colon: string
  /** White space between a comma and the next member. */
  readonly between: string
}

function styleOf(text: string, open: number, members: readonly Member[]): Style {
  const outerIndent = /[ \t]*/.exec(text.slice(text.lastIndexOf('\n', open) + 1))?.[0] ?? ''
  const document = documentStart(text)
  const unit = indentIn(text.slice(document + 1))
  const first = members[0]
  const second = members[1]
  const lead = first ? text.slice(open + 1, first.start) : text.slice(document + 1)
  const newline = /^[ \t]*(\r?\n)/.exec(lead)?.[1] ?? ''
  const indent = first ? (indentIn(lead) ?? '') : outerIndent + (unit ?? '')
  const colon = first ? text.slice(first.start + JSON.stringify(first.key).length, first.valueStart) : ': '
  const between =
    newline === ''
      ? first && second
        ? text.slice(first.end, second.start).replace(',', '')
        : ' '
      : newline + indent
  return {
    newline,
    indent,
    outerIndent,
    unit: unit ?? '  ',
    colon: /^\s*:\s*$/.test(colon) ? colon : ': ',
    between,
  }
}

/** The white space at the start of the first line after this one. */
function indentIn(text: string): string | undefined {
  return /^[ \t]*\r?\n([ \t]*)/.exec(text)?.[1]
}

function printValue(value: JsonValue, style: Style): string {
  if (style.newline === '') return JSON.stringify(value)
  return JSON.stringify(value, null, style.unit).replaceAll('\n', style.newline + style.indent)
}

function refused(pointer: string, what: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', `the edit cannot be applied: "${pointer}" ${what}`)
}
