/**
 * What one module imports, read from its text without running it. es-module-lexer reads JavaScript and the
 * TypeScript that type stripping erases; JSX is refused, because a lexer cannot tell its text from code.
 */
import { init, parse } from 'es-module-lexer'
import { AgenticError } from '../errors.js'

export interface ModuleImport {
  readonly specifier: string
  /** `import()` or `createRequire(…)()`: may fail without breaking the module, so an optional package may be absent. */
  readonly dynamic: boolean
  /** Erased before the module runs. */
  readonly typeOnly: boolean
}

export interface ModuleSyntax {
  readonly imports: readonly ModuleImport[]
  /** False for a text that Node could take for CommonJS. */
  readonly esm: boolean
}

/** Makes the lexer ready; `readSyntax` is synchronous after it. */
export async function prepareLexer(): Promise<void> {
  await init()
}

/** Lists the imports of a module.
 * `createRequire` is followed in one form only: `createRequire(import.meta.url)('literal')`.
 * @param source the text of the module
 * @param name its path relative to the package, for errors
 * @throws AgenticError ERR_CODE_UNRESOLVED for `import()` or `createRequire` of something that is not a literal,
 *   and for a text that cannot be read
 */
export function readSyntax(source: string, name: string): ModuleSyntax {
  const [found, exported] = lex(source, name)
  const loadsCommonJs =
    builtinByCall.test(source) ||
    found.some((item) => item.specifier === 'node:module' || item.specifier === 'module')
  const imports: ModuleImport[] = loadsCommonJs ? required(source, name) : []
  for (const item of found) {
    if (item.type === 'import-meta') continue
    if (item.type === 'dynamic') {
      if (item.probablyTypeOnly) continue // `import('m').T` in a type: no runtime promise is used so
      if (item.specifier === undefined || item.glob) {
        throw unresolved(name, 'an import() whose argument is not a literal')
      }
      imports.push({ specifier: item.specifier, dynamic: true, typeOnly: false })
    } else {
      imports.push({ specifier: item.specifier, dynamic: false, typeOnly: item.typeOnly })
    }
  }
  return { imports, esm: exported.length > 0 || found.some((item) => item.type !== 'dynamic') }
}

/** The one error of the code digest: it names the file, relative to the package it belongs to. */
export function unresolved(name: string, what: string, options?: ErrorOptions): AgenticError {
  return new AgenticError('ERR_CODE_UNRESOLVED', `module "${name}": ${what}`, options)
}

function lex(source: string, name: string): ReturnType<typeof parse> {
  try {
    return parse(source)
  } catch (error) {
    throw unresolved(name, 'cannot be read as an ECMAScript module', { cause: error })
  }
}

const commentLine = /^\s*(?:\/\/|\/?\*).*$/gm
/** Not one that gives it another name: what is called by that is not seen below. */
const importClause = /import\b(?![^'"]*\bcreateRequire\s+as\b)[^'"]*\bfrom\s*(['"])(?:node:)?module\1/g
/** `process` gives built-in modules, too. */
const builtinByCall = /\bgetBuiltinModule\s*\(/
/** Whoever imports it from there does not import "module". */
const passedOn = /\bexport\s*\*[^'"]*\bfrom\s*(['"])(?:node:)?module\1/
const followedRequire = /\bcreateRequire\(import\.meta\.url\)\(\s*(['"])([^'"\\]+)\1\s*\)/g

/** `createRequire` is the door from a module back to CommonJS: unseen, it would be a hole in the digest. */
function required(source: string, name: string): ModuleImport[] {
  if (passedOn.test(source)) throw unresolved(name, 'all of "node:module" is exported, createRequire too')
  if (!source.includes('createRequire')) return []
  const imports: ModuleImport[] = []
  const rest = source
    .replace(commentLine, '')
    .replace(importClause, '')
    .replace(followedRequire, (_, _quote: string, specifier: string) => {
      imports.push({ specifier, dynamic: true, typeOnly: false })
      return ''
    })
  if (rest.includes('createRequire')) {
    throw unresolved(name, `createRequire in another form than createRequire(import.meta.url)('literal')`)
  }
  return imports
}
