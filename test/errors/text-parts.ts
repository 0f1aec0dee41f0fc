/**
 * What a text of ours is put together from: each expression in it that is not written in the source, followed
 * back through constants, parameters and functions to where it comes from.
 */
import ts from 'typescript'
import { callsOf, functionNamed, type Project } from './project.js'

/** How many steps back a part is followed; what lies deeper counts as a part itself. */
const maxDepth = 16

/** Methods that make text of text, adding nothing. */
const textMethods = new Set(['join', 'slice', 'map', 'trim', 'toLowerCase', 'toString', 'split', 'at'])
const textFunctions = new Set(['String', 'JSON.stringify'])

/** @returns the parts whose words are not in the source: neither literals, nor closed unions of them, nor numbers */
export function partsOf(text: ts.Expression, project: Project): readonly ts.Expression[] {
  return [...new Set(parts(text, { project, bound: new Map(), depth: 0, entered: new Set() }))]
}

interface Walk {
  readonly project: Project
  /** What the call being followed passes for a parameter, and where that is to be read. */
  readonly bound: ReadonlyMap<ts.Node, { readonly argument: ts.Expression; readonly walk: Walk }>
  readonly depth: number
  /** Parameters whose callers are being followed. */
  readonly entered: Set<ts.Node>
}

type Parts = readonly ts.Expression[]

function parts(node: ts.Expression, walk: Walk): Parts {
  const { checker } = walk.project
  if (isWritten(node)) return []
  if (walk.depth > maxDepth) return [node]
  const inner = unwrapped(node)
  if (inner) return parts(inner, walk)
  if (ts.isTemplateExpression(node))
    return all(
      node.templateSpans.map((span) => span.expression),
      walk,
    )
  if (ts.isConditionalExpression(node)) return all([node.whenTrue, node.whenFalse], walk)
  if (ts.isBinaryExpression(node)) return all([node.left, node.right], walk)
  if (isClosed(node, checker)) return []
  if (ts.isArrayLiteralExpression(node))
    return all(
      node.elements.map((one) => (ts.isSpreadElement(one) ? one.expression : one)),
      walk,
    )
  if (ts.isIdentifier(node)) return ofName(node, walk)
  if (ts.isCallExpression(node)) return ofCall(node, walk)
  if (ts.isPropertyAccessExpression(node) && isOwnMessage(node, checker)) return []
  return [node]
}

function all(nodes: readonly ts.Expression[], walk: Walk): Parts {
  return nodes.flatMap((node) => parts(node, walk))
}

function deeper(walk: Walk): Walk {
  return { ...walk, depth: walk.depth + 1 }
}

function unwrapped(node: ts.Expression): ts.Expression | undefined {
  const isWrapper =
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isAwaitExpression(node)
  return isWrapper ? node.expression : undefined
}

function ofName(node: ts.Identifier, walk: Walk): Parts {
  const declaration = walk.project.checker.getSymbolAtLocation(node)?.valueDeclaration
  if (declaration && ts.isVariableDeclaration(declaration)) {
    const { initializer } = declaration
    // A list can grow after it was made.
    const grows = initializer !== undefined && ts.isArrayLiteralExpression(initializer)
    return initializer && isConst(declaration) && !grows ? parts(initializer, deeper(walk)) : [node]
  }
  if (declaration && ts.isParameter(declaration) && ts.isIdentifier(declaration.name))
    return ofParameter(node, declaration, walk)
  return [node]
}

function ofParameter(node: ts.Identifier, declaration: ts.ParameterDeclaration, walk: Walk): Parts {
  const passed = walk.bound.get(declaration)
  if (passed) return parts(passed.argument, { ...passed.walk, depth: walk.depth + 1 })
  if (walk.entered.has(declaration)) return []
  const owner = declaration.parent
  const index = owner.parameters.indexOf(declaration)
  const calls = callsOf(owner, walk.project) ?? []
  // Called by a program, or by somebody unseen: what it is given is not known here.
  if (calls.length === 0) return [node]
  walk.entered.add(declaration)
  return calls.flatMap((call) => {
    const argument = call.arguments[index] ?? declaration.initializer
    return argument ? parts(argument, { ...deeper(walk), bound: new Map() }) : []
  })
}

/** A function of ours that gives text is followed into what it returns; of another's, only those that make text of text. */
function ofCall(node: ts.CallExpression, walk: Walk): Parts {
  const { checker, files } = walk.project
  const callee = functionNamed(node.expression, checker)
  if (callee && isText(node, checker) && files.includes(callee.getSourceFile())) {
    const bound = new Map(walk.bound)
    callee.parameters.forEach((parameter, index) => {
      const argument = node.arguments[index] ?? parameter.initializer
      if (argument) bound.set(parameter, { argument, walk })
    })
    return all(returnsOf(callee), { ...deeper(walk), bound })
  }
  const { expression } = node
  if (ts.isPropertyAccessExpression(expression) && textMethods.has(expression.name.text)) {
    const mapped = node.arguments.filter(ts.isArrowFunction).flatMap(returnsOf)
    return all([expression.expression, ...mapped], walk)
  }
  const [first] = node.arguments
  return first && textFunctions.has(expression.getText()) ? parts(first, walk) : [node]
}

/** Written in the source. */
function isWritten(node: ts.Expression): boolean {
  if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node) || ts.isObjectLiteralExpression(node))
    return true
  return (
    [ts.SyntaxKind.NullKeyword, ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword].includes(node.kind) ||
    node.getText() === 'undefined'
  )
}

/** A closed set of words that stands in our types, codes among them; or a number, which counts or places something. */
function isClosed(node: ts.Expression, checker: ts.TypeChecker): boolean {
  const closed =
    ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike | ts.TypeFlags.Undefined
  return membersOf(node, checker).every(({ flags }) => (flags & closed) !== 0)
}

function isText(node: ts.Expression, checker: ts.TypeChecker): boolean {
  const text = ts.TypeFlags.StringLike | ts.TypeFlags.Undefined
  return membersOf(node, checker).every(({ flags }) => (flags & text) !== 0)
}

function membersOf(node: ts.Expression, checker: ts.TypeChecker): readonly ts.Type[] {
  const type = checker.getTypeAtLocation(node)
  return type.isUnion() ? type.types : [type]
}

/** The text of an error of ours was walked where that was made. */
function isOwnMessage(node: ts.PropertyAccessExpression, checker: ts.TypeChecker): boolean {
  if (node.name.text !== 'message') return false
  return checker.typeToString(checker.getTypeAtLocation(node.expression)) === 'AgenticError'
}

function returnsOf(callee: ts.FunctionLikeDeclaration): ts.Expression[] {
  const { body } = callee
  if (!body) return []
  if (!ts.isBlock(body)) return [body]
  const returned: ts.Expression[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return
    if (ts.isReturnStatement(node) && node.expression) returned.push(node.expression)
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(body, visit)
  return returned
}

function isConst(node: ts.VariableDeclaration): boolean {
  return ts.isIdentifier(node.name) && (ts.getCombinedNodeFlags(node) & ts.NodeFlags.Const) !== 0
}
