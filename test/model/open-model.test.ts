import { describe, expect, it } from 'vitest'
import { openModel } from '../../runtime/cli/model.js'
import { expectCode } from '../support/expect-code.js'
import { openAiServer } from '../support/openai-server.js'

interface Asked {
  invoke(text: string): Promise<{ readonly content: unknown }>
}

describe('a model named on the command line', () => {
  it('is asked at the base URL of the environment, with the key of the environment, and not retried', async () => {
    const server = await openAiServer(['hello', { status: 500, body: '{}' }])
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-env' }
    const { name, chat } = await openModel('openai:test', env)
    try {
      expect(name).toBe('openai:test')
      expect((await (chat as Asked).invoke('hi')).content).toBe('hello')
      expect(server.asked[0]).toMatchObject({ task: 'hi', authorization: 'Bearer sk-env' })
      await expect((chat as Asked).invoke('hi')).rejects.toThrow()
      expect(server.asked).toHaveLength(2)
    } finally {
      await server.close()
    }
  })

  it.each(['test', 'openai', 'openai:', ':test', '', 'skynet:t800', '__proto__:x', 'constructor:x'])(
    'is refused when it is written %j',
    async (reference) => {
      const error = await expectCode(openModel(reference, {}), 'ERR_MODEL_UNAVAILABLE')
      expect(error.message).toContain('openai')
    },
  )

  it('names the package to install when it is missing', async () => {
    const error = await expectCode(openModel('anthropic:claude', {}), 'ERR_MODEL_UNAVAILABLE')
    expect(error.message).toContain('@langchain/anthropic')
  })

  it('needs a key, and says so before anything runs', async () => {
    const error = await expectCode(openModel('openai:test', { OPENAI_API_KEY: '' }), 'ERR_MODEL_UNAVAILABLE')
    expect(error.message).toContain('API key')
  })
})
