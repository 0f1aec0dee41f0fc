/** A chat model provider on loopback that speaks OpenAI's chat completions, and does what a test wrote down. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One message of a conversation, as it came over the wire. */
export interface WireMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string | null
  readonly tool_call_id?: string
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string } }[]
}

/** What the provider was asked. */
export interface Question {
  readonly messages: readonly WireMessage[]
  /** The agent's prompt. */
  readonly system: string
  readonly task: string
  /** Names of the tools on offer. */
  readonly tools: readonly string[]
  /** How often the model answered in this conversation. */
  readonly turn: number
  /** The newest tool result; undefined before the first. */
  readonly toolResult: string | undefined
  readonly authorization: string | undefined
}

/** A tool call the model asks for; a string stands for arguments that are sent as they are. */
export type WireCall = readonly [name: string, args: object | string]

/** An answer: words that end the step, tool calls, a raw HTTP answer, or none at all. */
export type Reply =
  | string
  | { readonly calls: readonly WireCall[] }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string }
  | 'hang'

/** A list is answered in order over all conversations; its last reply is repeated. */
export type Script = readonly Reply[] | ((question: Question) => Reply)

export interface OpenAiServer {
  /** For `baseURL`. */
  readonly url: string
  readonly asked: readonly Question[]
  /** Also ends the requests it never answered. */
  close(): Promise<void>
}

export async function openAiServer(script: Script): Promise<OpenAiServer> {
  const asked: Question[] = []
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request)) as Record<string, unknown>
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions' || body['stream'] === true) {
      send(response, { status: 404, body: '{}' })
      return
    }
    const question = questionOf(body, request.headers.authorization)
    const mended = brokenHistory(question.messages)
    asked.push(question)
    const at = Math.min(asked.length, Array.isArray(script) ? script.length : 0) - 1
    const reply = typeof script === 'function' ? script(question) : (script[at] ?? 'done')
    if (mended !== undefined)
      send(response, { status: 400, body: JSON.stringify({ error: { message: mended } }) })
    else if (reply !== 'hang')
      send(response, typeof reply === 'object' && 'status' in reply ? reply : completion(reply))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function questionOf(body: Record<string, unknown>, authorization: string | undefined): Question {
  const messages = body['messages'] as readonly WireMessage[]
  const tools = (body['tools'] ?? []) as readonly { readonly function: { readonly name: string } }[]
  const content = (role: WireMessage['role']) =>
    messages.find((message) => message.role === role)?.content ?? ''
  return {
    messages,
    system: content('system'),
    task: content('user'),
    tools: tools.map((tool) => tool.function.name),
    turn: messages.filter(({ role }) => role === 'assistant').length,
    toolResult: messages.findLast(({ role }) => role === 'tool')?.content ?? undefined,
    authorization,
  }
}

/** Providers refuse a history in which a tool call has no answer, or an answer no call; so does this one. */
function brokenHistory(messages: readonly WireMessage[]): string | undefined {
  const calls = messages.flatMap((message) => message.tool_calls ?? [])
  const answers = messages.filter(({ role }) => role === 'tool').map((message) => message.tool_call_id)
  const names = calls.every((call) => /^[a-zA-Z0-9_-]{1,64}$/.test(call.function.name))
  const paired = calls.length === answers.length && calls.every(({ id }) => answers.includes(id))
  return names && paired ? undefined : 'tool calls and answers do not match'
}

let calls = 0

function completion(reply: string | { readonly calls: readonly WireCall[] }) {
  const asks = typeof reply === 'object'
  const message = asks
    ? { role: 'assistant', content: null, tool_calls: reply.calls.map(toolCall) }
    : { role: 'assistant', content: reply }
  const choice = { index: 0, message, finish_reason: asks ? 'tool_calls' : 'stop' }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const body = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'test',
    choices: [choice],
    usage,
  }
  return { status: 200, body: JSON.stringify(body) }
}

function toolCall([name, args]: WireCall) {
  calls += 1
  const given = typeof args === 'string' ? args : JSON.stringify(args)
  return { id: `call_${calls}`, type: 'function', function: { name, arguments: given } }
}

function send(response: ServerResponse, reply: Exclude<Reply, string | { readonly calls: unknown }>): void {
  response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
  response.end(reply.body)
}
