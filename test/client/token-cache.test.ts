import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { IssuedToken, TokenIssuer, TokenRequest } from '../../runtime/client/issuer.js'
import { createTokenCache } from '../../runtime/client/token-cache.js'
import { nowSeconds } from '../../runtime/clock.js'
import { AgenticError } from '../../runtime/errors.js'
import type { ToolDefinition } from '../../runtime/identity/agent.js'
import { verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { forge } from '../support/forger.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const issuer = 'https://authority.example'
const subject = {
  agentId: 'reader',
  computedChecksum: 'sha256:1',
  workflowId: 'shipping',
  workflowStep: 'look',
  executionId: 'execution-1',
  activationId: 'activation-1',
  epoch: 1,
  chain: ['root', 'leaf'],
}

function tool(name: string, scope = 'stock:read'): ToolDefinition {
  return { name, description: name, parameters: z.object({}), scope }
}

const [read, count, write] = [tool('stock/read'), tool('stock/count'), tool('stock/write', 'stock:write')]

/** An issuer that counts, and answers as it is told. */
function setting(
  answer: (request: TokenRequest) => Partial<IssuedToken> | Promise<Partial<IssuedToken>> = () => ({}),
) {
  const clock = fakeClock()
  const asked: TokenRequest[] = []
  const port: TokenIssuer = {
    issuer,
    async issue(request) {
      asked.push(request)
      const number = asked.length
      const accessToken = forge({ typ: 'at+jwt' }, { jti: `token-${number}` }, fixedKey('authority'))
      const tools = ['stock/read', 'stock/count']
      const whole = { accessToken, tokenType: 'DPoP', expiresIn: 300, scope: request.scope, tools } as const
      return { ...whole, ...(await answer(request)) }
    },
  }
  const cache = createTokenCache(subject, fixedKey('reader'), { issuer: port, clock })
  return { clock, asked, cache }
}

describe('a token for a tool', () => {
  it('is asked for with the tool’s scope, the audience, the chain, and a proof by the agent’s key', async () => {
    const { asked, cache, clock } = setting()
    await cache.tokenFor(read, 'https://a.example')
    const { proof, ...rest } = asked[0] as TokenRequest
    expect(rest).toEqual({
      ...subject,
      scope: ['stock:read'],
      audience: 'https://a.example',
      tool: 'stock/read',
    })
    const rules = { method: 'POST', url: `${issuer}/token`, now: nowSeconds(clock), keyring }
    const verified = await verifyDpopProof(proof, { ...rules, singleUse: rememberingSingleUse() })
    expect(verified.key.thumbprint).toBe(fixedKey('reader').publicKey.thumbprint)
    expect(cache.issued).toEqual(['token-1'])
  })

  it('is used again for the same audience and scope, and whatever tool it names', async () => {
    const { asked, cache } = setting()
    const first = await cache.tokenFor(read, 'https://a.example')
    expect(await cache.tokenFor(read, 'https://a.example')).toBe(first)
    expect(await cache.tokenFor(count, 'https://a.example')).toBe(first)
    expect(asked).toHaveLength(1)
  })

  attack(
    'T2',
    'is not used at another audience, for another scope, or for a tool it does not name',
    async () => {
      const { asked, cache } = setting()
      await cache.tokenFor(read, 'https://a.example')
      await cache.tokenFor(read, 'https://b.example')
      await cache.tokenFor(tool('stock/read', 'stock:write'), 'https://a.example')
      await cache.tokenFor(tool('stock/audit'), 'https://a.example')
      expect(asked).toHaveLength(4)
      expect(cache.issued).toEqual(['token-1', 'token-2', 'token-3', 'token-4'])
    },
  )

  it('is not used in its last ten seconds', async () => {
    const { asked, cache, clock } = setting()
    await cache.tokenFor(read, 'https://a.example')
    clock.advanceSeconds(289)
    await cache.tokenFor(read, 'https://a.example')
    expect(asked).toHaveLength(1)
    clock.advanceSeconds(1)
    await cache.tokenFor(read, 'https://a.example')
    expect(asked).toHaveLength(2)
  })

  it('is asked for once by calls at the same time', async () => {
    const { asked, cache } = setting()
    const tokens = await Promise.all([1, 2, 3].map(() => cache.tokenFor(read, 'https://a.example')))
    expect(new Set(tokens).size).toBe(1)
    expect(asked).toHaveLength(1)
  })
})

describe('a token that is good once', () => {
  const once = () => ({ use: 'once' as const, tools: ['stock/write'] })

  attack('X3', 'is never used again', async () => {
    const { asked, cache } = setting(once)
    const first = await cache.tokenFor(write, 'https://a.example')
    expect(await cache.tokenFor(write, 'https://a.example')).not.toBe(first)
    expect(asked).toHaveLength(2)
  })

  it('is not shared by calls at the same time', async () => {
    const { asked, cache } = setting(once)
    const tokens = await Promise.all([1, 2, 3].map(() => cache.tokenFor(write, 'https://a.example')))
    expect(new Set(tokens).size).toBe(3)
    expect(asked).toHaveLength(3)
  })
})

describe('an issuer that refuses', () => {
  it('is asked again by the next call', async () => {
    let refuses = true
    const { asked, cache } = setting(() => {
      if (refuses) throw new AgenticError('ERR_SCOPE_MISSING', 'no')
      return {}
    })
    await expectCode(cache.tokenFor(read, 'https://a.example'), 'ERR_SCOPE_MISSING')
    refuses = false
    await cache.tokenFor(read, 'https://a.example')
    expect(asked).toHaveLength(2)
    expect(cache.issued).toEqual(['token-2'])
  })
})
