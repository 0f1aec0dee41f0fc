/**
 * What may become state of a run: data that the checkpoint serializer gives back as it was. So a step sees
 * the same whether the run went on or was resumed, and no step can hand code to the next.
 */
import {
  AIMessage,
  AIMessageChunk,
  ChatMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages'
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'
import { digestOf, sha256Hex } from '../encoding/digest.js'
import type { CloneRules } from '../isolation/clone.js'

export type Serializer = BaseCheckpointSaver['serde']

/** Exactly these: a subclass would bring methods of an agent's making into the next agent's step. */
const messages: ReadonlySet<object> = new Set(
  [AIMessage, AIMessageChunk, ChatMessage, HumanMessage, SystemMessage, ToolMessage].map(
    (type) => type.prototype,
  ),
)

/** Plain data, built-in data types and LangChain's messages. */
export const stateRules: CloneRules = { functions: false, keeps: (prototype) => messages.has(prototype) }

export interface StateValue {
  readonly value: unknown
  /** `sha256:<hex>` over the serializer's bytes (PROTOCOL 6). */
  readonly digest: string
}

/**
 * Takes a value through the serializer once, so that what goes on is what is stored (a Date becomes text).
 * @throws TypeError for what the serializer would not give back as data
 */
export async function settleValue(value: unknown, serializer: Serializer): Promise<StateValue> {
  requireInert(value)
  const [type, bytes] = await serializer.dumpsTyped(value ?? null)
  const settled: unknown = await serializer.loadsTyped(type, bytes)
  return { value: settled, digest: await valueDigest(settled, serializer) }
}

/** `sha256:<hex>` of a value's serialized bytes. */
export async function valueDigest(value: unknown, serializer: Serializer): Promise<string> {
  const [, bytes] = await serializer.dumpsTyped(value)
  return `sha256:${sha256Hex(bytes)}`
}

/** `sha256:<hex>` over the channels a task wrote, in order, each with its value's digest. */
export function writesDigest(writes: readonly (readonly [channel: string, valueDigest: string])[]): string {
  return digestOf(writes.map(([channel, digest]) => [channel, digest]))
}

/**
 * Plain data that looks like a serialized object would come back as an object of that class: what a file or
 * a web page says must never choose a constructor.
 * @throws TypeError
 */
export function requireInert(value: unknown, seen: Set<unknown> = new Set()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  const { lc, type } = value as { lc?: unknown; type?: unknown }
  if (
    (lc === 1 || lc === 2) &&
    typeof type === 'string' &&
    !messages.has(Object.getPrototypeOf(value) as object)
  ) {
    throw new TypeError('data with the keys "lc" and "type" would be read back as something else')
  }
  const parts =
    value instanceof Map
      ? [...value.keys(), ...value.values()]
      : value instanceof Set
        ? value
        : Object.values(value)
  for (const part of parts) requireInert(part, seen)
}
