import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareLexer, readSyntax } from '../../runtime/identity/module-imports.js'
import { expectCode } from '../support/expect-code.js'

describe('readSyntax', () => {
  beforeAll(prepareLexer)

  const specifiers = (source: string) => readSyntax(source, 'a.js').imports.map((item) => item.specifier)
  const inModule = (clause: string, rest = '') => `import ${clause} from 'node:module'\n${rest}`
  const call = `createRequire(import.meta.url)('pkg')`

  it('follows createRequire in the one form in which it can be read', () => {
    expect(specifiers(inModule('{ createRequire }', call))).toEqual(['pkg', 'node:module'])
    expect(specifiers(inModule('module', `module.${call}`))).toEqual(['pkg', 'node:module'])
    expect(specifiers(inModule('{ isBuiltin as known }', 'known("fs")'))).toEqual(['node:module'])
  })

  const doors: [what: string, source: string][] = [
    ['kept in a variable', inModule('{ createRequire }', 'const r = createRequire(import.meta.url)')],
    ['under another name', inModule('{ createRequire as load }', "load(import.meta.url)('./b.cjs')")],
    ['under another name among others', inModule('{ isBuiltin, createRequire as r }', 'r(import.meta.url)')],
    ['of a namespace', inModule('* as m', 'const { createRequire: r } = m')],
    ['passed on', `export { createRequire } from 'module'`],
    ['passed on with all the rest', `export * from 'node:module'`],
    ['passed on as a namespace', `export * as m from "module"`],
    ['without an import', `process.getBuiltinModule('module').createRequire(import.meta.url)('./' + x)`],
    ['with a name that is computed', inModule('{ createRequire }', 'createRequire(import.meta.url)(x)')],
  ]
  it.each(doors)(
    'refuses createRequire %s: it is the door to files that are not hashed',
    async (_, source) => {
      await expectCode(() => readSyntax(source, 'a.js'), 'ERR_CODE_UNRESOLVED')
    },
  )

  it('reads what the TypeScript compiler reads, in this project’s own sources', () => {
    const folder = fileURLToPath(new URL('../../runtime/', import.meta.url))
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    )
    expect(sources.length).toBeGreaterThan(50)
    const refused: string[] = []
    for (const path of sources) {
      const text = readFileSync(`${folder}${path}`, 'utf8')
      const expected = ts.preProcessFile(text, true, false).importedFiles.map((file) => file.fileName)
      let found: string[]
      try {
        found = readSyntax(text, path).imports.map((item) => item.specifier)
      } catch {
        refused.push(path) // a computed import: refused, not misread
        continue
      }
      expect(
        [path, ...new Set(expected)].filter((specifier) => specifier !== path && !found.includes(specifier)),
      ).toEqual([])
    }
    expect(refused.sort()).toEqual(['cli/model.ts', 'cli/programs.ts'])
  })
})
