/**
 * Tools that an MCP server describes, pinned (X12). A server may answer `tools/list` differently tomorrow, and what it
 * says there a model reads as instructions: so the list is read once, kept, and shown to models from the copy; a
 * later list that differs in anything a model could read is a mismatch, not news.
 */
import { canonicalize, type JsonObject, type JsonValue } from '../encoding/canonical-json.js'
import { digestOf, equalConstantTime } from '../encoding/digest.js'
import { isIdentifier, isToolName } from '../encoding/identifier.js'
import { isPlainObject, parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import { frozenJson } from './frozen-json.js'
import { maxTools, type ToolManifest } from './manifest.js'

export interface PinnedMcpTool {
  /** Our name of it: `<server>/<its name there>`. */
  readonly tool: string
  /** Frozen: every member as received, but `_meta` and `icons`. Show models this, never what the server says later. */
  readonly definition: JsonObject
  /** `sha256:` and hex over the canonical definition. */
  readonly digest: string
}

export interface PinnedMcpTools {
  /** The name under which the server is configured here; its own name for itself proves nothing. */
  readonly server: string
  /** In code-point order of their names. */
  readonly tools: readonly PinnedMcpTool[]
}

/** Our names of the tools that differ, sorted. */
export interface McpToolChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

/** UTF-16 units of one canonical definition. */
const maxDefinitionLength = 65_536
const maxPages = 64
/** UTF-16 units or bytes of one page. */
const maxPageLength = 1_048_576
const maxDepth = 32

/** Members that no model reads: bookkeeping of the protocol, which may differ each time, and pictures for people.
 * They are not kept either. Whatever else there is, now or in later versions of MCP, is pinned. */
const unread: ReadonlySet<string> = new Set(['_meta', 'icons'])

/** Reads a list of tools and keeps it.
 * @param server our name of the server, an identifier
 * @param pages the JSON texts of the results of `tools/list`, first page first, to the page without `nextCursor`
 * @throws TypeError when `server` is no identifier
 * @throws AgenticError ERR_JSON_INVALID; ERR_MCP_TOOLS_INVALID: an incomplete list, two tools of one name, a name
 *   that is no tool name, a definition of the wrong shape, too large, or with a schema that lies elsewhere
 * @see MCP 2025-06-18, server/tools
 */
export function pinMcpTools(server: string, pages: readonly (string | Uint8Array)[]): PinnedMcpTools {
  if (!isIdentifier(server)) throw new TypeError('server: expected an identifier (PROTOCOL 1)')
  const definitions = readPages(pages)
  if (definitions.length > maxTools) throw invalid(`at most ${maxTools} tools`)
  const tools = definitions
    .map((definition) => pinTool(server, definition))
    .sort((a, b) => (a.tool < b.tool ? -1 : 1)) // names are ASCII: code units are code points
  tools.forEach((tool, index) => {
    if (tool.tool === tools[index - 1]?.tool) throw invalid('each name once')
  })
  return Object.freeze({ server, tools: Object.freeze(tools) })
}

/** Compares two lists of one server by digest.
 * @throws TypeError when they are of two servers */
export function compareMcpTools(pinned: PinnedMcpTools, later: PinnedMcpTools): McpToolChanges {
  if (pinned.server !== later.server) throw new TypeError('expected two lists of one server')
  const [before, after] = [digestsByName(pinned), digestsByName(later)]
  const kept = [...before].filter(([name]) => after.has(name))
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: kept
      .filter(([name, digest]) => !equalConstantTime(digest, after.get(name) ?? ''))
      .map(([name]) => name),
  }
}

/** Passes a later list that says the same.
 * @param pages as for `pinMcpTools`
 * @throws AgenticError ERR_MCP_TOOLS_CHANGED, naming the tools and never what they say; and as `pinMcpTools`
 */
export function requireSameMcpTools(pinned: PinnedMcpTools, pages: readonly (string | Uint8Array)[]): void {
  const { added, removed, changed } = compareMcpTools(pinned, pinMcpTools(pinned.server, pages))
  const differences = [
    ...removed.map((name) => `tool "${name}" removed`),
    ...changed.map((name) => `tool "${name}" changed`),
    ...added.map((name) => `tool "${name}" added`),
  ]
  if (differences.length === 0) return
  throw new AgenticError(
    'ERR_MCP_TOOLS_CHANGED',
    `MCP server "${pinned.server}" changed since its tools were pinned: ${differences.join(', ')}`,
  )
}

/** The form in which a pinned tool is part of an agent's manifest, and so of its checksum. What the manifest has no
 * place for (title, output schema, annotations) is covered by the digest in `source_code`.
 * @see PROTOCOL 2.1 */
export function mcpToolManifest({ tool, definition, digest }: PinnedMcpTool): ToolManifest {
  const { description, inputSchema } = definition
  return Object.freeze({
    name: tool,
    description: typeof description === 'string' ? description : '',
    parameters: inputSchema as JsonObject,
    source_code: digest,
  })
}

/** A page that is left unread would hold tools that nobody looked at. */
function readPages(pages: readonly (string | Uint8Array)[]): readonly JsonValue[] {
  if (pages.length < 1 || pages.length > maxPages) throw invalid(`1 to ${maxPages} pages`)
  return pages.flatMap((page, index) => {
    const { tools, nextCursor } = parseJsonObject(page, { maxBytes: maxPageLength, maxDepth: maxDepth + 2 })
    const isLast = index === pages.length - 1
    if ((nextCursor === undefined) !== isLast) throw invalid('all pages, "nextCursor" in each but the last')
    if (!Array.isArray(tools)) throw invalid('"tools", an array')
    return tools as readonly JsonValue[]
  })
}

function pinTool(server: string, value: JsonValue): PinnedMcpTool {
  if (!isPlainObject(value)) throw invalid('each tool an object')
  const read = Object.fromEntries(Object.entries(value).filter(([key]) => !unread.has(key)))
  const tool = typeof read['name'] === 'string' ? `${server}/${read['name']}` : ''
  if (!isToolName(tool)) throw invalid('each "name" to be a tool name (PROTOCOL 1)')
  requireShape(read, tool)
  if (canonicalize(read).length > maxDefinitionLength) {
    throw invalid(`tool "${tool}" of at most ${maxDefinitionLength} characters`)
  }
  const definition = frozenJson(read)
  return Object.freeze({ tool, definition, digest: digestOf(definition) })
}

function requireShape(definition: JsonObject, tool: string): void {
  for (const key of ['title', 'description']) {
    if (definition[key] !== undefined && typeof definition[key] !== 'string')
      throw invalid(`"${key}" of tool "${tool}" to be text`)
  }
  const { inputSchema, outputSchema, annotations } = definition
  requireSchema(inputSchema, 'inputSchema', tool)
  if (outputSchema !== undefined) requireSchema(outputSchema, 'outputSchema', tool)
  if (annotations !== undefined && !isPlainObject(annotations))
    throw invalid(`"annotations" of tool "${tool}" to be an object`)
}

function requireSchema(schema: JsonValue | undefined, key: string, tool: string): void {
  if (!isPlainObject(schema) || schema['type'] !== 'object') {
    throw invalid(`"${key}" of tool "${tool}" to be a JSON Schema of type object`)
  }
  if (refersElsewhere(schema)) throw invalid(`"${key}" of tool "${tool}" to hold all it refers to`)
}

/** What a reference leads to outside the definition can change without the definition changing. */
function refersElsewhere(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([key, member]: [string, JsonValue]) =>
      (references.has(key) && typeof member === 'string' && !member.startsWith('#')) ||
      refersElsewhere(member),
  )
}

const references: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef'])

function digestsByName({ tools }: PinnedMcpTools): ReadonlyMap<string, string> {
  return new Map(tools.map(({ tool, digest }) => [tool, digest]))
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_MCP_TOOLS_INVALID', `MCP tools: expected ${expected}`)
}
