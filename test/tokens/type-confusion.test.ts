import { describe, expect, it } from 'vitest'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { decodeJws } from '../../runtime/encoding/compact-jws.js'
import { codeOf } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { forge } from '../support/forger.js'

const key = fixedKey('authority')
const kinds = [
  ...['at+jwt', 'delegation+jwt', 'dpop+jwt', 'pop+jwt', 'receipt+jwt', 'approval+jwt', 'revocation+jwt'],
] as const

/** A well-formed token of a kind; a DPoP proof carries its key. */
function tokenOf(typ: string): string {
  const jwk = typ === 'dpop+jwt' ? key.publicKey.jwk : undefined
  return forge({ typ, jwk }, { jti: 'one' }, key)
}

function jwkRule(typ: string) {
  return typ === 'dpop+jwt' ? ('required' as const) : ('forbidden' as const)
}

describe('kinds of tokens', () => {
  for (const wanted of kinds) {
    attack(['T2', 'X8'], `nothing but ${wanted} passes where ${wanted} is wanted`, () => {
      for (const typ of kinds) {
        const read = () => decodeJws(tokenOf(typ), { typ: wanted, jwk: jwkRule(wanted) })
        if (typ === wanted) expect(read().header.typ).toBe(wanted)
        else expect(codeIn(read)).toMatch(/^ERR_(TYP_MISMATCH|HEADER_REFUSED)$/)
      }
    })
  }

  attack('X8', 'an assertion is a delegation+jwt: the same claims under another type are not', async () => {
    for (const typ of ['at+jwt', 'JWT', 'delegation+JWT', 'application/delegation+jwt']) {
      await expectCode(() => decodeAssertion(forge({ typ }, {}, key)), 'ERR_TYP_MISMATCH')
    }
    await expectCode(() => decodeAssertion(forge({}, {}, key)), 'ERR_TYP_MISMATCH')
    await expectCode(() => decodeAssertion(forge({ typ: 'delegation+jwt' }, {}, key)), 'ERR_CLAIM_INVALID')
  })

  attack('X8', 'a key in the header is refused wherever the protocol has none', async () => {
    const { jwk } = key.publicKey
    const forged = forge({ typ: 'at+jwt', jwk }, { jti: 'one' }, key)
    await expectCode(() => decodeJws(forged, { typ: 'at+jwt' }), 'ERR_HEADER_REFUSED')
  })

  it('are told apart before any claim is read', async () => {
    await expectCode(
      () => decodeJws(forge({ typ: 'pop+jwt' }, 'no JSON', key), { typ: 'at+jwt' }),
      'ERR_TYP_MISMATCH',
    )
  })
})

function codeIn(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return codeOf(error)
  }
  return undefined
}
