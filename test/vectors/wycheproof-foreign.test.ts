import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { codeOf } from '../../runtime/errors.js'
import { verifyForeignJws } from '../../runtime/tokens/foreign-jws.js'
import { keyring } from '../support/fixed-keys.js'
import { vectors } from '../support/vectors.js'

interface Group {
  readonly public?: JsonObject
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly jws: string
    readonly result: 'valid' | 'invalid'
  }[]
}

const file = vectors('wycheproof/json_web_signature_test.json')
const groups = file
  ? (JSON.parse(readFileSync(file, 'utf8')) as { testGroups: readonly Group[] }).testGroups
  : []

/** What other issuers may sign with here. The rest (HS*, PS*, RS384, RS512, P-521) is never accepted. */
const algorithms = ['RS256', 'ES256'] as const

/** Called valid there and refused here, on purpose. */
const stricter: ReadonlyMap<number, string> = new Map([
  [259, 'an empty payload: a token always makes claims'],
])

describe.skipIf(!file)('Wycheproof JSON Web Signature, as another issuer’s tokens', () => {
  const cases = groups.flatMap((group) => group.tests.map((one) => ({ ...one, key: group.public })))
  const spoken = cases.filter(({ key }) => (algorithms as readonly unknown[]).includes(key?.['alg']))

  it('the RS256 and ES256 cases come out as they should', async () => {
    expect(spoken.length).toBe(272)
    const wrong: string[] = []
    for (const { tcId, comment, jws, result, key } of spoken) {
      const accepted = await accepts(jws, key as JsonObject)
      const expected = result === 'valid' && !stricter.has(tcId)
      if (accepted !== expected) wrong.push(`${tcId} ${comment}: ${result}`)
    }
    expect(wrong).toEqual([])
  })

  it('no other case is accepted', async () => {
    for (const { tcId, jws, key } of cases) {
      if ((algorithms as readonly unknown[]).includes(key?.['alg'])) continue
      expect(await accepts(jws, key ?? {}), `${tcId}`).toBe(false)
    }
  })
})

async function accepts(jws: string, key: JsonObject): Promise<boolean> {
  try {
    await verifyForeignJws(jws, { algorithms, keys: [key] }, keyring)
    return true
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return false
  }
}
