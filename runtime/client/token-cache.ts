/**
 * The tokens of one activation: asked for when a tool needs one, used again for the same audience and
 * scope until shortly before they expire. One that is good once is never kept.
 */
import type { Clock } from '../clock.js'
import { decodeJws } from '../encoding/compact-jws.js'
import type { ToolDefinition } from '../identity/agent.js'
import type { SigningKey } from '../keys/signing-key.js'
import { createDpopProof } from '../tokens/dpop-proof.js'
import type { IssuedToken, TokenIssuer, TokenRequest } from './issuer.js'

/** A token is not used in its last seconds, so that it does not expire on the way. */
const slackMs = 10_000

export type TokenSubject = Omit<TokenRequest, 'scope' | 'audience' | 'tool' | 'proof'>

interface Held {
  readonly issued: IssuedToken
  readonly audience: string
  readonly goodUntilMs: number
}

export interface TokenCache {
  /** A token for one tool at one audience. @throws AgenticError the issuer's reason */
  tokenFor(tool: ToolDefinition, audience: string): Promise<IssuedToken>
  /** `jti` of every token that was issued. */
  readonly issued: readonly string[]
}

export function createTokenCache(
  subject: TokenSubject,
  key: SigningKey,
  deps: { readonly issuer: TokenIssuer; readonly clock: Clock },
): TokenCache {
  let held: Held[] = []
  const asking = new Map<string, Promise<IssuedToken>>()
  const issued: string[] = []

  async function ask(tool: ToolDefinition, audience: string): Promise<IssuedToken> {
    const proof = createDpopProof({ method: 'POST', url: `${deps.issuer.issuer}/token` }, key, deps)
    const token = await deps.issuer.issue({
      ...subject,
      scope: [tool.scope],
      audience,
      tool: tool.name,
      proof,
    })
    issued.push(String(decodeJws(token.accessToken, { typ: 'at+jwt' }).claims['jti']))
    if (token.use !== 'once') {
      const goodUntilMs = deps.clock.nowMs() + token.expiresIn * 1000 - slackMs
      held = [
        ...held.filter((other) => other.goodUntilMs > deps.clock.nowMs()),
        { issued: token, audience, goodUntilMs },
      ]
    }
    return token
  }

  return {
    async tokenFor(tool, audience) {
      const now = deps.clock.nowMs()
      const known = held.find(
        (candidate) =>
          candidate.audience === audience &&
          candidate.goodUntilMs > now &&
          candidate.issued.scope.includes(tool.scope) &&
          candidate.issued.tools.includes(tool.name),
      )
      if (known) return known.issued
      // Calls at once share one request; one that is good once cannot be shared, so the second asks again.
      const place = `${audience} ${tool.name}`
      const underWay = asking.get(place)
      if (underWay) {
        const token = await underWay
        if (token.use !== 'once') return token
      }
      const request = ask(tool, audience).finally(() => asking.delete(place))
      asking.set(place, request)
      return request
    },
    get issued() {
      return [...issued]
    },
  }
}
