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

  function request(
    call: { id?: string | undefined; name?: string | undefined },
    args: unknown,
  ): ModelRequest {
    const name = call.name ?? ''
    const isObject = isPlainObject(args)
    const given = call.id !== undefined && call.id !== '' && !ids.has(call.id) ? call.id : undefined
    const id = given ?? `call_${ids.size + 1}_mended`
    ids.add(id)
    mended ||= given === undefined || !isObject || historyName(name) !== name
    return {
      id,
      name,
      historyName: historyName(name),
      args: isObject ? args : {},
      malformed: isObject ? undefined : String(args ?? ''),
    }
  }

  const requests = [
    ...(answer.tool_calls ?? []).map((call) => request(call, call.args)),
    ...(answer.invalid_tool_calls ?? []).map((call) => request(call, call.args)),
  ]
  return { requests, message: mended ? mend(answer, requests) : answer }
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
