/** Reads the tool calls out of a model's answer, also out of a bad one. */
import { AIMessage } from '@langchain/core/messages'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { historyName } from './model-tools.js'

/** One tool call that a model asks for. Name and arguments are whatever it wrote. */
export interface ModelRequest {
  readonly id: string
  readonly name: string
  /** The name as it may be repeated to the model's provider. */
  readonly historyName: string
  readonly args: JsonObject
  /** The text of arguments that are not one JSON object. */
  readonly malformed: string | undefined
}

/**
 * @returns the calls, and the message to keep in the history: providers refuse one whose calls have no id,
 * no answer or no valid arguments, so that a bad answer is kept in a mended form
 */
export function readRequests(answer: AIMessage): {
  readonly requests: readonly ModelRequest[]
  readonly message: AIMessage
} {
  const ids = new Set<string>()
  let mended = false

  function request(call: unknown): ModelRequest {
    const { id: givenId, name: givenName, args } = isRecord(call) ? call : {}
    const name = typeof givenName === 'string' ? givenName : ''
    const object = isPlainObject(args) ? args : undefined
    const isUsable = typeof givenId === 'string' && givenId !== '' && !ids.has(givenId)
    const id = isUsable ? givenId : `call_${ids.size + 1}_mended`
    ids.add(id)
    mended ||= !isUsable || !object || historyName(name) !== name
    return {
      id,
      name,
      historyName: historyName(name),
      args: object ?? {},
      malformed: object || isAbsent(args) ? undefined : textOf(args),
    }
  }

  // LangChain passes on what the provider sent: also calls that are null, and names that are numbers.
  const calls: readonly unknown[] = [...(answer.tool_calls ?? []), ...(answer.invalid_tool_calls ?? [])]
  const requests = calls.map(request)
  return { requests, message: mended ? mend(answer, requests) : answer }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Models write nothing at all for a tool without arguments. */
function isAbsent(args: unknown): boolean {
  return args === undefined || args === null || args === ''
}

function textOf(args: unknown): string {
  return typeof args === 'string' ? args : (JSON.stringify(args) ?? '')
}

function mend(answer: AIMessage, requests: readonly ModelRequest[]): AIMessage {
  return new AIMessage({
    content: typeof answer.content === 'string' ? answer.content : '',
    tool_calls: requests.map(({ id, historyName: name, args }) => ({
      id,
      name,
      args: { ...args },
      type: 'tool_call',
    })),
  })
}
