/**
 * Every place where an error with words for people is made, found by the compiler rather than by eye: which
 * codes it can have, and which expressions put something into its text that is not written in the source.
 */
import ts from 'typescript'
import { callsOf, each, fileOf, openProject, type Project, placeOf } from './project.js'
import { partsOf } from './text-parts.js'

/** Something that a text shows and that is no literal of ours. */
export interface Shown {
  /** `file:line` of the expression. */
  readonly at: string
  readonly file: string
  /** The expression as it is written, white space folded. */
  readonly expression: string
}

export interface ErrorSite {
  readonly at: string
  readonly made: Made
  /** The codes it can have; undefined when the compiler cannot tell them. */
  readonly codes: readonly string[] | undefined
  readonly shown: readonly Shown[]
}

/** `fail` says what is wrong with a workflow's definition; it is handed along, so its calls are found by name. */
type Made = 'AgenticError' | 'UsageError' | 'fail'

export function errorSites(
  folders: readonly string[],
  overlay: Readonly<Record<string, string>> = {},
): readonly ErrorSite[] {
  const project = openProject(folders, overlay)
  const sites: ErrorSite[] = []
  for (const file of project.files) {
    each(file, (node) => {
      if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return
      const made = madeAt(node)
      if (!made) return
      const [first, second] = node.arguments ?? []
      const text = made === 'UsageError' ? first : second
      const codes = made === 'AgenticError' && first ? codesOf(first, project) : []
      sites.push({ at: placeOf(node), made, codes, shown: text ? shownBy(text, project) : [] })
    })
  }
  return sites
}

function madeAt(node: ts.NewExpression | ts.CallExpression): Made | undefined {
  const name = node.expression.getText()
  if (ts.isNewExpression(node)) return name === 'AgenticError' || name === 'UsageError' ? name : undefined
  return name === 'fail' ? name : undefined
}

/** A literal, or a closed union of them; of a parameter, what its callers pass. */
function codesOf(expression: ts.Expression, project: Project): readonly string[] | undefined {
  const { checker } = project
  const declaration = checker.getSymbolAtLocation(expression)?.valueDeclaration
  if (declaration && ts.isParameter(declaration)) {
    const index = declaration.parent.parameters.indexOf(declaration)
    const passed = callsOf(declaration.parent, project)?.map((call) => call.arguments[index])
    const codes = passed?.map((argument) => argument && codesOf(argument, project))
    if (codes && codes.length > 0)
      return codes.every((found) => found) ? codes.flatMap((found) => found ?? []) : undefined
  }
  const type = checker.getTypeAtLocation(expression)
  const members = type.isUnion() ? type.types : [type]
  const literals = members.filter((member) => member.isStringLiteral())
  return literals.length === members.length ? literals.map(({ value }) => value) : undefined
}

function shownBy(text: ts.Expression, project: Project): Shown[] {
  return partsOf(text, project).map((part) => ({
    at: placeOf(part),
    file: fileOf(part),
    expression: part.getText().replace(/\s+/g, ' '),
  }))
}
