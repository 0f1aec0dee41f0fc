import { describe, expect, it } from 'vitest'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import {
  agentKey,
  type Changes,
  chainOf,
  chainTime,
  chainTools,
  hashOf,
  hopToken,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'

function verify(chain: readonly string[]) {
  return verifyChain(chain, {
    trustedKeys: [fixedKey('authority').publicKey],
    issuer,
    now: chainTime,
    keyring,
  })
}

const length = 6
const chain = chainOf(length)
const inner = [1, 2, 3, 4, 5]

describe('a chain without the keys of its agents', () => {
  attack('T11', 'cannot lose a hop, at any place but its end', async () => {
    for (let place = 0; place < length - 1; place++) {
      const code = place === 0 ? 'ERR_CHAIN_ROOT_UNTRUSTED' : 'ERR_SIGNATURE_INVALID'
      await expectCode(() => verify(chain.toSpliced(place, 1)), code)
    }
    verify(chain)
  })

  attack('T11', 'cut at its end is a valid chain, of another agent and with another hash', () => {
    for (let keep = 1; keep < length; keep++) {
      const cut = verify(chain.slice(0, keep))
      expect(cut.chainHash).not.toBe(verify(chain).chainHash)
      expect(cut.key.thumbprint).not.toBe(verify(chain).key.thumbprint)
    }
  })

  attack('T11', 'cannot be reordered, doubled or grown, at any place', async () => {
    const stranger = fixedKey('stranger')
    for (const place of inner) {
      const [hop = '', before = ''] = [chain[place], chain[place - 1]]
      await expectCode(() => verify(chain.toSpliced(place - 1, 2, hop, before)), placeCode(place))
      await expectCode(() => verify(chain.toSpliced(place, 0, hop)), 'ERR_SIGNATURE_INVALID')
      const inserted = hopToken(before, place, { 'cnf.jwk': stranger.publicKey.jwk }, stranger)
      await expectCode(() => verify(chain.toSpliced(place, 0, inserted)), 'ERR_SIGNATURE_INVALID')
    }
    verify(chain)
  })

  attack('X8', 'cannot have a byte of any hop changed', async () => {
    for (const [place, token] of chain.entries()) {
      const [head = '', claims = '', signature = ''] = token.split('.')
      const text = Buffer.from(claims, 'base64url').toString().replace('"repo:read ', '"repo:reaD ')
      const other = `${head}.${Buffer.from(text).toString('base64url')}.${signature}`
      await expectCode(() => verify(chain.toSpliced(place, 1, other)), 'ERR_SIGNATURE_INVALID')
    }
  })

  function placeCode(place: number): ErrorCode {
    return place === 1 ? 'ERR_CHAIN_ROOT_UNTRUSTED' : 'ERR_SIGNATURE_INVALID'
  }
})

describe('a chain whose agents are dishonest', () => {
  /** The hop at a place is made by the true key, wrong in one thing; what follows is made honestly below it. */
  function forgedAt(place: number, changes: Changes): string[] {
    return chainOf(length, { [place]: changes })
  }

  const wider = (tools: object) => [{ type: 'attenuating_agent_token', tools }]
  const otherPath = { path: { constraint_type: 'path_containment', root: '/' } }
  const anyPath = { path: { constraint_type: 'wildcard' } }
  const forgeries: [what: string, changes: (place: number) => Changes, code: ErrorCode][] = [
    ['names another issuer', () => ({ iss: issuer }), 'ERR_CHAIN_ISSUER'],
    ['names itself as issuer', (place) => ({ iss: uri(place) }), 'ERR_CHAIN_ISSUER'],
    ['names no parent', () => ({ par_hash: undefined }), 'ERR_CHAIN_LINK'],
    ['names another parent', () => ({ par_hash: hashOf('a.b.c') }), 'ERR_CHAIN_LINK'],
    ['skips a depth', (place) => ({ del_depth: place + 1 }), 'ERR_CHAIN_DEPTH'],
    ['keeps its parent’s depth', (place) => ({ del_depth: place - 1 }), 'ERR_CHAIN_DEPTH'],
    ['raises the greatest depth', () => ({ del_max_depth: 32 }), 'ERR_CHAIN_DEPTH'],
    ['lies deeper than is allowed', (place) => ({ del_max_depth: place - 1 }), 'ERR_CHAIN_DEPTH'],
    ['outlives its parent', () => ({ exp: chainTime + 3601 }), 'ERR_CHAIN_LIFETIME'],
    ['is older than its parent', () => ({ iat: chainTime - 1 }), 'ERR_CHAIN_LIFETIME'],
    [
      'adds a tool',
      () => ({ authorization_details: wider({ ...chainTools, shell: {} }) }),
      'ERR_CHAIN_TOOL_WIDENED',
    ],
    [
      'moves a constraint up',
      () => ({ authorization_details: wider({ 'repo/read': otherPath }) }),
      'ERR_CHAIN_CONSTRAINT_WIDENED',
    ],
    [
      'opens a constraint',
      () => ({ authorization_details: wider({ 'repo/read': anyPath }) }),
      'ERR_CHAIN_CONSTRAINT_WIDENED',
    ],
    [
      'drops constraints',
      () => ({ authorization_details: wider({ 'repo/read': {} }) }),
      'ERR_CHAIN_CONSTRAINT_WIDENED',
    ],
    ['adds a scope', () => ({ scope: 'repo:read repo:admin' }), 'ERR_CHAIN_SCOPE_WIDENED'],
    ['serves another run', () => ({ 'intent.execution_id': 'execution-2' }), 'ERR_CHAIN_INTENT'],
    ['serves another workflow', () => ({ 'intent.workflow_id': 'deploying' }), 'ERR_CHAIN_INTENT'],
    ['serves another intent', () => ({ 'intent.intent_hash': 'sha256:0' }), 'ERR_CHAIN_INTENT'],
    ['says who initiated', () => ({ initiated_by: 'os:0' }), 'ERR_CHAIN_INTENT'],
    ['says how the initiator is known', () => ({ auth: { method: 'x', time: 1 } }), 'ERR_CHAIN_INTENT'],
  ]
  for (const [what, changes, code] of forgeries) {
    attack(['T9', 'T11'], `a hop that ${what} is refused, at every place`, async () => {
      for (const place of inner) await expectCode(() => verify(forgedAt(place, changes(place))), code)
      verify(chain)
    })
  }

  it('answers the first reason in the order I1, I5, I2, I3, I4, I7', async () => {
    const wrong: [name: string, value: unknown, code: ErrorCode][] = [
      ['iss', issuer, 'ERR_CHAIN_ISSUER'],
      ['par_hash', 'x', 'ERR_CHAIN_LINK'],
      ['del_depth', 9, 'ERR_CHAIN_DEPTH'],
      ['exp', chainTime + 3601, 'ERR_CHAIN_LIFETIME'],
      ['authorization_details', wider({ shell: {} }), 'ERR_CHAIN_TOOL_WIDENED'],
      ['scope', 'repo:admin', 'ERR_CHAIN_SCOPE_WIDENED'],
      ['intent.intent_hash', 'x', 'ERR_CHAIN_INTENT'],
    ]
    for (const [index, [, , code]] of wrong.entries()) {
      const changes = Object.fromEntries(wrong.slice(index).map(([name, value]) => [name, value]))
      await expectCode(() => verify(forgedAt(2, changes)), code)
    }
  })

  function uri(place: number): string {
    return `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${agentKey(place).publicKey.thumbprint}`
  }
})

describe('a chain made of two', () => {
  attack(['T11', 'X1'], 'hops of another run do not fit, though every key is the same', async () => {
    const other = { 'intent.execution_id': 'execution-2' }
    const changes = Object.fromEntries([0, ...inner].map((place) => [place, other]))
    const elsewhere = chainOf(length, changes)
    for (const place of inner) {
      const spliced = [...chain.slice(0, place), ...elsewhere.slice(place)]
      await expectCode(() => verify(spliced), 'ERR_CHAIN_LINK')
    }
    verify(elsewhere)
  })

  attack(['T11', 'X1'], 'a hop for another activation does not carry what hung below the first', async () => {
    const other = hopToken(chain[1] ?? '', 2, { 'intent.activation_id': 'activation-9' })
    await expectCode(() => verify([...chain.slice(0, 2), other, ...chain.slice(3)]), 'ERR_CHAIN_LINK')
    verify([...chain.slice(0, 2), other])
  })

  attack('T11', 'a hop cannot be cut out, even by an agent that holds the keys on both sides', async () => {
    const root = rootToken()
    const self = { 'cnf.jwk': { ...agentKey(0).publicKey.jwk }, scope: 'repo:read' }
    const narrowed = hopToken(root, 1, self)
    const leaf = hopToken(narrowed, 2, { iss: uriOfAgent0, scope: 'repo:read' }, agentKey(0))
    verify([root, narrowed, leaf])
    await expectCode(() => verify([root, leaf]), 'ERR_CHAIN_LINK')
  })

  attack('T11', 'a chain cannot be hung below another root of the same agent', async () => {
    const wide = rootToken({ jti: 'another-root', scope: 'repo:read repo:write repo:admin' })
    await expectCode(() => verify([wide, ...chain.slice(1)]), 'ERR_CHAIN_LINK')
    verify([wide])
  })

  const uriOfAgent0 = `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${agentKey(0).publicKey.thumbprint}`
})
