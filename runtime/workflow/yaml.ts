/** Workflows in YAML 1.2 files: read so that nothing in a file is guessed, with line and column in refusals. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { AgenticError, isAgenticError } from '../errors.js'
import { workflowFromWire } from './define.js'
import type { Workflow } from './definition.js'
import { type Fail, type Place, showPlace } from './place.js'
import { duplicateKey, excessIn } from './yaml-limits.js'

const maxBytes = 256 * 1024
const maxAliases = 16

/** Reads a workflow from a file.
 * @throws AgenticError ERR_WORKFLOW_UNKNOWN when there is no such file, ERR_WORKFLOW_INVALID
 */
export function loadWorkflow(file: string): Workflow {
  return parseWorkflowYaml(readText(file), file)
}

/** Makes a workflow of YAML text.
 * @param name of the text, for messages
 * @throws AgenticError ERR_WORKFLOW_INVALID, as in `patch.yaml:12:5: steps.scan.after: no step "foo"`
 */
export function parseWorkflowYaml(text: string, name: string): Workflow {
  if (Buffer.byteLength(text) > maxBytes) throw invalid(name, `expected at most ${maxBytes} bytes`)
  const lines = new LineCounter()
  const document = parse(text, name, lines)
  const wire = toPlain(document, name)
  const fail: Fail = (place, what) => {
    const at = showPlace(place, wire)
    throw invalid(`${name}${positionOf(document, place, lines)}`, `${at === '' ? '' : `${at}: `}${what}`)
  }
  return workflowFromWire(wire, fail)
}

function parse(text: string, name: string, lines: LineCounter): Document {
  const excess = guarded(name, () => excessIn(text))
  if (excess !== undefined) throw invalid(name, excess)
  const document = guarded(name, () =>
    parseDocument(text, {
      version: '1.2',
      schema: 'core',
      customTags: [],
      merge: false,
      strict: true,
      stringKeys: true,
      uniqueKeys: false, // duplicateKey does it in linear time
      prettyErrors: false,
      logLevel: 'error', // 'silent' would also drop the error of a second document
      lineCounter: lines,
    }),
  )
  // A warning is a tag or an escape that the reader had to guess about.
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem) throw invalid(`${name}${show(lines.linePos(problem.pos[0]))}`, problem.message)
  const twice = guarded(name, () => duplicateKey(document))
  if (twice)
    throw invalid(`${name}${show(lines.linePos(twice.range?.[0] ?? 0))}`, 'a key occurs twice in one map')
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    throw invalid(name, 'expected YAML 1.2')
  }
  return document
}

function toPlain(document: Document, name: string): unknown {
  return guarded(name, () => document.toJS({ maxAliasCount: maxAliases }) as unknown)
}

/** Runs the YAML library; whatever it throws (aliases, nesting) is the text's fault. */
function guarded<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (isAgenticError(cause)) throw cause
    throw invalid(name, 'not readable as YAML: too many aliases, or nested too deeply', cause)
  }
}

/** `:line:column` of the nearest part of the text that the place is in. */
function positionOf(document: Document, place: Place, lines: LineCounter): string {
  for (let length = place.length; length > 0; length--) {
    const offset = offsetOf(document, place.slice(0, length))
    if (offset !== undefined) return show(lines.linePos(offset))
  }
  return ''
}

/** Where the key of a member stands, or an item of a list. */
function offsetOf(document: Document, place: Place): number | undefined {
  const parent: unknown = place.length === 1 ? document.contents : document.getIn(place.slice(0, -1), true)
  const last = place.at(-1)
  if (isMap(parent)) {
    const key: unknown = parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key
    return isNode(key) ? key.range?.[0] : undefined
  }
  const node: unknown = document.getIn(place, true)
  return isNode(node) ? node.range?.[0] : undefined
}

function show(position: { line: number; col: number }): string {
  return position.line > 0 ? `:${position.line}:${position.col}` : ''
}

function readText(file: string): string {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (cause) {
    throw new AgenticError('ERR_WORKFLOW_UNKNOWN', `cannot open workflow file "${file}"`, { cause })
  }
  try {
    const status = fstatSync(handle)
    if (!status.isFile()) throw invalid(file, 'expected a file')
    if (status.size > maxBytes)
      throw invalid(file, `expected at most ${maxBytes} bytes, found ${status.size}`)
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(handle))
  } catch (cause) {
    if (isAgenticError(cause)) throw cause
    throw invalid(file, 'expected UTF-8 text', cause)
  } finally {
    closeSync(handle)
  }
}

function invalid(name: string, what: string, cause?: unknown): AgenticError {
  return new AgenticError('ERR_WORKFLOW_INVALID', `${name}: ${what}`, { cause })
}
