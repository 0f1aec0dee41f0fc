/** The source as the compiler sees it, for tests that walk it. */
import { readdirSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Project {
  readonly files: readonly ts.SourceFile[]
  readonly checker: ts.TypeChecker
  /** Identifiers by their text, under the original one where an import renames; asking the compiler costs more. */
  readonly names: ReadonlyMap<string, readonly ts.Identifier[]>
}

/** @param overlay source read in place of that of a file (by its relative name), for tests of a walk itself */
export function openProject(
  folders: readonly string[],
  overlay: Readonly<Record<string, string>> = {},
): Project {
  const paths = folders.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${root}${folder}/${name}`),
  )
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config
  // Without the types of packages it is ready in a third of the time; what they give is anybody's text to a walk.
  const own = { ...config.compilerOptions, noResolve: true, types: [] }
  const { options } = ts.convertCompilerOptionsFromJson(own, root)
  const host = ts.createCompilerHost(options)
  const read = host.readFile.bind(host)
  host.readFile = (path) => overlay[relative(root, path)] ?? read(path)
  const program = ts.createProgram(paths, options, host)
  const wanted = new Set(paths)
  const files = program.getSourceFiles().filter(({ fileName }) => wanted.has(fileName))
  return { files, checker: program.getTypeChecker(), names: namesIn(files) }
}

function namesIn(files: readonly ts.SourceFile[]): Map<string, ts.Identifier[]> {
  const original = new Map<string, string>()
  const found: ts.Identifier[] = []
  for (const file of files) {
    each(file, (node) => {
      if (!ts.isIdentifier(node)) return
      found.push(node)
      const { parent } = node
      if (ts.isImportSpecifier(parent) && parent.propertyName && parent.name === node)
        original.set(`${file.fileName} ${node.text}`, parent.propertyName.text)
    })
  }
  const names = new Map<string, ts.Identifier[]>()
  for (const node of found) {
    const text = original.get(`${node.getSourceFile().fileName} ${node.text}`) ?? node.text
    const known = names.get(text)
    if (known) known.push(node)
    else names.set(text, [node])
  }
  return names
}

/** The function of ours that a callee names. */
export function functionNamed(
  callee: ts.Expression,
  checker: ts.TypeChecker,
): ts.FunctionLikeDeclaration | undefined {
  const name = ts.isPropertyAccessExpression(callee) ? callee.name : callee
  if (!ts.isIdentifier(name)) return undefined
  const symbol = checker.getSymbolAtLocation(name)
  const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const declaration = target?.valueDeclaration
  if (!declaration) return undefined
  if (ts.isFunctionDeclaration(declaration) || ts.isMethodDeclaration(declaration)) return declaration
  const { initializer } = declaration as ts.VariableDeclaration
  return initializer && ts.isArrowFunction(initializer) ? initializer : undefined
}

/** The calls of a function; undefined when it is also handed on as a value, to be called by anybody. */
export function callsOf(
  owner: ts.SignatureDeclaration,
  { names, checker }: Project,
): readonly ts.CallExpression[] | undefined {
  const name = owner.name ?? (ts.isVariableDeclaration(owner.parent) ? owner.parent.name : undefined)
  if (!name || !ts.isIdentifier(name)) return undefined
  const calls: ts.CallExpression[] = []
  for (const use of names.get(name.text) ?? []) {
    if (use === name || isImportOrType(use) || functionNamed(use, checker) !== owner) continue
    const call = callOf(use)
    if (!call) return undefined
    calls.push(call)
  }
  return calls
}

/** The call whose callee an identifier is, alone or as the last of `a.b.c`. */
function callOf(use: ts.Identifier): ts.CallExpression | undefined {
  const callee = ts.isPropertyAccessExpression(use.parent) && use.parent.name === use ? use.parent : use
  return ts.isCallExpression(callee.parent) && callee.parent.expression === callee ? callee.parent : undefined
}

function isImportOrType({ parent }: ts.Identifier): boolean {
  return ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isTypeQueryNode(parent)
}

export function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => each(child, visit))
}

/** Relative to the project. */
export function fileOf(node: ts.Node): string {
  return relative(root, node.getSourceFile().fileName)
}

/** `file:line` */
export function placeOf(node: ts.Node): string {
  const file = node.getSourceFile()
  return `${fileOf(node)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
}
