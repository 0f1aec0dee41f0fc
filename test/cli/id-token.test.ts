import { writeFileSync } from 'node:fs'
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baton, lastObject } from '../support/cli.js'
import {
  contentOf,
  type Workplace,
  workplace,
  writeVulnerableProject,
} from '../support/vulnerable-project.js'

const issuer = 'https://login.example'
const audience = 'baton-client'

let place: Workplace
let pair: GenerateKeyPairResult
beforeEach(async () => {
  place = workplace()
  writeVulnerableProject(place.path('shop'))
  pair = await generateKeyPair('ES256', { extractable: true })
  const keys = [await exportJWK(pair.publicKey)]
  const trusted = [{ issuer, audience, algorithms: ['ES256'], jwks: { keys } }]
  writeFileSync(place.path('issuers.json'), JSON.stringify(trusted))
})
afterEach(() => place.dispose())

async function run(claims: JWTPayload, ...more: string[]) {
  const now = Math.floor(Date.now() / 1000)
  const token = await new SignJWT({
    iss: issuer,
    aud: audience,
    sub: 'alice',
    iat: now,
    exp: now + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
    .sign(pair.privateKey)
  writeFileSync(place.path('id-token'), `${token}\n`)
  const args = ['run', 'vulnerability-patching', '--input', 'repo=shop', '--approve-all', '--json']
  return baton([...args, '--id-token', 'id-token', ...more], { cwd: place.folder })
}

describe('baton run --id-token', { timeout: 60_000 }, () => {
  it('makes the person whom a trusted issuer names the initiator of every hop', async () => {
    const { run: id } = lastObject(await run({}, '--issuers', 'issuers.json')) as { run: string }
    const { code, stdout } = await baton(['inspect', id, 'patch'], { cwd: place.folder })
    expect(code).toBe(0)
    expect(stdout).toContain(`${issuer}#alice`)
    expect(stdout).toContain('id_token')
  })

  it.each([
    [
      'has ended',
      { exp: Math.floor(Date.now() / 1000) - 1 },
      ['--issuers', 'issuers.json'],
      'ERR_TOKEN_EXPIRED',
    ],
    ['is for another client', { aud: 'other' }, ['--issuers', 'issuers.json'], 'ERR_TOKEN_AUDIENCE'],
    ['comes where nobody is trusted', {}, [], 'ERR_TOKEN_ISSUER'],
  ])('refuses a token that %s, before anything is begun', async (_what, claims, flags, code) => {
    const before = contentOf(place.path('shop'))
    const refused = await run(claims, ...flags)
    expect(refused.code).toBe(3)
    expect(lastObject(refused)).toMatchObject({ status: 'refused', error: { code } })
    expect(refused.stdout + refused.stderr).not.toContain('eyJ')
    expect((await baton(['runs'], { cwd: place.folder })).stdout).not.toContain('vulnerability-patching')
    expect(contentOf(place.path('shop'))).toEqual(before)
  })

  it('does not start with issuers that cannot be read', async () => {
    const missing = await run({}, '--issuers', 'nowhere.json')
    expect(missing.code).toBe(2)
    expect(lastObject(missing)).toMatchObject({ error: { code: 'ERR_INPUT_INVALID' } })
  })
})
