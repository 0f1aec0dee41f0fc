/** The folders that a manifest's workspace patterns name, as npm expands them (@npmcli/map-workspaces). */
import { AgenticError } from '../../runtime/index.js'

/** Most folders looked at for one project. */
const maxFolders = 20_000

/** Expands workspace patterns.
 * @param patterns `packages/*`, `apps/**`, `{a,b}`, `?`; `!pattern` takes away what earlier patterns matched
 * @param foldersOf the names of the real folders in a folder of the project (`` is the root)
 * @returns folders in order, without duplicates; whether they hold a manifest is the caller's to see
 * @throws AgenticError ERR_TOOL_FAILED for a pattern that leads out of the project or is not understood
 */
export async function expandWorkspaces(
  patterns: readonly string[],
  foldersOf: (folder: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const search: Search = { foldersOf, left: maxFolders }
  let found: string[] = []
  for (const written of patterns) {
    const bangs = /^!*/.exec(written)?.[0].length ?? 0
    const pattern = written
      .slice(bangs)
      .replaceAll('\\', '/')
      .replace(/^(?:\.?\/)+/, '')
      .replace(/\/+$/, '')
    const segments = pattern.split('/')
    if (
      segments.some((segment) => segment === '..' || /[[\]()+@!]/.test(segment.replace(/^@[\w.-]+$/, '')))
    ) {
      throw new AgenticError('ERR_TOOL_FAILED', `the workspace pattern "${written}" is not understood`)
    }
    if (bangs % 2 === 1) {
      const excluded = segments.map(matcher)
      found = found.filter((folder) => !matchesPath(folder.split('/'), excluded))
    } else {
      await walk('', segments.map(matcher), search, found)
    }
  }
  return [...new Set(found)]
}

interface Search {
  readonly foldersOf: (folder: string) => Promise<readonly string[]>
  left: number
}

/** `**`, or a test of one name. */
type Matcher = '**' | RegExp

async function walk(
  folder: string,
  matchers: readonly Matcher[],
  search: Search,
  found: string[],
): Promise<void> {
  const [first, ...rest] = matchers
  if (first === undefined) {
    if (folder !== '') found.push(folder)
    return
  }
  if (first === '**') await walk(folder, rest, search, found)
  search.left -= 1
  if (search.left < 0)
    throw new AgenticError('ERR_TOOL_FAILED', `workspace patterns match more than ${maxFolders} folders`)
  for (const name of await search.foldersOf(folder)) {
    if (name === 'node_modules') continue
    const below = folder === '' ? name : `${folder}/${name}`
    if (first === '**') {
      if (!name.startsWith('.')) await walk(below, matchers, search, found)
    } else if (first.test(name)) {
      await walk(below, rest, search, found)
    }
  }
}

function matchesPath(names: readonly string[], matchers: readonly Matcher[]): boolean {
  const [first, ...rest] = matchers
  if (first === undefined) return names.length === 0
  if (first === '**') {
    return matchesPath(names, rest) || (names.length > 0 && matchesPath(names.slice(1), matchers))
  }
  const [name, ...below] = names
  return name !== undefined && first.test(name) && matchesPath(below, rest)
}

function matcher(segment: string): Matcher {
  if (segment === '**') return '**'
  const body = segment
    .replace(/[.^$|]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]')
    .replace(/\{([^{}]*)\}/g, (_, choices: string) => `(?:${choices.split(',').join('|')})`)
    .replace(/[{}]/g, '\\$&')
  // As everywhere with globs, a wildcard does not match a leading dot.
  return new RegExp(`^${/^[*?]/.test(segment) ? '(?!\\.)' : ''}${body}$`)
}
