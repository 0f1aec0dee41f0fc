/** Providers that fail: the run ends within bounds, with a reason that quotes nothing of theirs. */
import { describe, expect, it } from 'vitest'
import { attack } from '../support/attack.js'
import type { Question, Reply } from '../support/openai-server.js'
import { apiKey, paying, prompts, reading, runWithModel } from './house.js'

const failing = (status: number, headers: Readonly<Record<string, string>> = {}, code?: string): Reply => ({
  status,
  headers,
  body: JSON.stringify({ error: { message: `key ${apiKey} of prompt ${prompts.reader}`, code } }),
})

/** Gives these answers first, and behaves afterwards. */
function after(...replies: readonly Reply[]) {
  let asked = 0
  return (question: Question): Reply => {
    const reply = replies[asked]
    asked += 1
    if (reply !== undefined) return reply
    return question.system === prompts.reader ? reading(question) : paying(question)
  }
}

/** Always the same answer. */
const only = (reply: Reply) => [reply]

const untouched = { reads: 0, payments: [] }
const failed = { status: 'failed', failure: { code: 'ERR_MODEL_FAILED', step: 'read' } }

describe('a provider that is overloaded', () => {
  it.each([429, 500, 503])('and then answers lets the run complete (%i)', async (status) => {
    const overloaded = failing(status, { 'retry-after': '0' })
    const { result, house, server } = await runWithModel(after(overloaded, overloaded))
    expect(result.status).toBe('completed')
    expect(house.effects.payments).toHaveLength(1)
    expect(server.asked).toHaveLength(6)
  })

  attack('X14', 'for ever is given up after the retries allowed', async () => {
    const { result, house, server } = await runWithModel(only(failing(429, { 'retry-after': '0' })), {
      limits: { maxRetries: 3 },
    })
    expect(result).toMatchObject(failed)
    expect(result.failure?.message).toBe('the model provider answered 429')
    expect(server.asked).toHaveLength(4)
    expect(house.effects).toEqual(untouched)
  })

  it.each([
    ['for an hour', failing(429, { 'retry-after': '3600' })],
    ['because nobody pays', failing(429, { 'retry-after': '0' }, 'insufficient_quota')],
  ])('%s is not asked again', async (_, reply) => {
    const { result, server } = await runWithModel(only(reply))
    expect(result).toMatchObject(failed)
    expect(server.asked).toHaveLength(1)
  })
})

describe('a provider that refuses', () => {
  attack('X16', 'is not asked again, and what it quotes is kept nowhere', async () => {
    for (const status of [401, 403, 404]) {
      const { result, house, server } = await runWithModel(only(failing(status)))
      expect(result).toMatchObject(failed)
      expect(result.failure?.message).toBe(`the model provider answered ${status}`)
      expect(server.asked).toHaveLength(1)
      expect(house.effects).toEqual(untouched)
    }
  })
})

describe('a provider that never answers', () => {
  attack('X14', 'is left after the time allowed for one answer', async () => {
    const { result, house, server } = await runWithModel(only('hang'), { limits: { callTimeoutMs: 150 } })
    expect(result).toMatchObject(failed)
    expect(server.asked).toHaveLength(1)
    expect(house.effects).toEqual(untouched)
  })

  it('in the middle of a run leaves behind what was done, and the payment undone', async () => {
    const call: Reply = { calls: [['ledger__read', { account: 'acme' }]] }
    const { result, house } = await runWithModel(after(call, 'done', 'hang'), {
      limits: { callTimeoutMs: 1000 },
    })
    expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_MODEL_FAILED', step: 'pay' } })
    expect(house.effects).toEqual({ reads: 1, payments: [] })
  })
})

describe('an answer that is none', () => {
  const ok = (body: unknown): Reply => ({
    status: 200,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const message = (fields: object) =>
    ok({ choices: [{ index: 0, message: { role: 'assistant', ...fields } }] })

  it.each([
    ['half of a JSON text', ok('{"choices": [{"mess')],
    ['HTML', ok('<html>login</html>')],
    ['an empty body', ok('')],
    ['no choice', ok({ choices: [] })],
    ['choices that are no list', ok({ choices: 7 })],
    ['a choice without a message', ok({ choices: [{}] })],
    ['tool calls that are none', message({ content: null, tool_calls: [null] })],
    ['words that are no text', message({ content: { a: 1 } })],
  ])('%s ends the run, with nothing done', async (_, reply) => {
    const { result, house } = await runWithModel(only(reply))
    expect(result.status).toBe('failed')
    expect(['ERR_MODEL_FAILED', 'ERR_MODEL_OUTPUT']).toContain(result.failure?.code)
    expect(result.failure?.step).toBe('read')
    expect(house.effects).toEqual(untouched)
  })

  it.each([
    ['without a function', [{ id: 'a', type: 'function' }]],
    ['that is a letter', 'l'],
    ['whose name is a number', [{ id: 'a', type: 'function', function: { name: 7, arguments: '{}' } }]],
    [
      'whose id is a number',
      [{ id: 7, type: 'function', function: { name: 'ledger__read', arguments: '{}' } }],
    ],
    [
      'with a list in it',
      [{ id: 'a', type: 'function', function: { name: 'ledger__read', arguments: '[]' } }],
    ],
  ])('but holds a tool call %s is answered with what is wrong', async (_, tool_calls) => {
    const { result, house, server } = await runWithModel(after(message({ content: null, tool_calls })))
    const told = server.asked[1]?.messages.filter(({ role }) => role === 'tool') ?? []
    expect(told.length).toBeGreaterThan(0)
    for (const { content } of told)
      expect(JSON.parse(content ?? '').error).toMatch(/^ERR_(TOOL_UNKNOWN|ARGUMENT_INVALID)$/)
    // It was told so, and ends without having read anything.
    expect(result.failure?.code).toBe('ERR_MODEL_OUTPUT')
    expect(house.effects).toEqual(untouched)
  })
})
