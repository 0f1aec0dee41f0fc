import { describe, expect, it } from 'vitest'
import { AgenticError, type ErrorCode, oauthAnswer, oauthAnswers } from '../../runtime/errors.js'

const codes = Object.keys(oauthAnswers) as ErrorCode[]

/** Which statuses an error word may come with, and who says so. */
const resourceWords: Readonly<Record<string, readonly number[]>> = {
  '': [401], // RFC 6750 §3.1: no credentials, no word
  invalid_token: [401], // RFC 6750 §3.1
  insufficient_scope: [403], // RFC 6750 §3.1
  invalid_request: [400, 404], // RFC 6750 §3.1; RFC 9110 §15.5.5 for a route that is none
  invalid_dpop_proof: [401], // RFC 9449 §7.1
  use_dpop_nonce: [401], // RFC 9449 §9
  tool_failed: [422], // ours: proven and allowed, and yet it did not work
  server_error: [500],
}
const tokenWords: Readonly<Record<string, readonly number[]>> = {
  invalid_request: [400, 404], // RFC 6749 §5.2
  invalid_grant: [400],
  invalid_scope: [400],
  unauthorized_client: [400],
  unsupported_grant_type: [400],
  invalid_client: [401],
  invalid_target: [400], // RFC 8707 §2
  invalid_authorization_details: [400], // RFC 9396 §5
  invalid_dpop_proof: [400], // RFC 9449 §5
  use_dpop_nonce: [400], // RFC 9449 §8
  unknown_agent: [401], // A-JWT §4.3
  agent_checksum_mismatch: [401],
  workflow_step_unauthorized: [403],
  server_error: [500],
}

describe('the OAuth answer of a code', () => {
  it.each(codes)('has a status that fits its word: %s', (code) => {
    const { resource, token } = oauthAnswers[code]
    expect(resourceWords[resource[0]] ?? `no word: ${resource[0]}`).toContain(resource[1])
    expect(tokenWords[token[0]] ?? `no word: ${token[0]}`).toContain(token[1])
  })

  it('is an error of the server at both faces, or at none but what a tool says of itself', () => {
    const split = codes.filter((code) => {
      const { resource, token } = oauthAnswers[code]
      return (resource[0] === 'server_error') !== (token[0] === 'server_error')
    })
    expect(split).toEqual(['ERR_TOOL_FAILED'])
  })

  it('is without a word for missing credentials alone', () => {
    expect(codes.filter((code) => oauthAnswers[code].resource[0] === '')).toEqual(['ERR_CREDENTIALS_MISSING'])
  })

  it('has only characters that the error parameter may have (RFC 6749 §5.2)', () => {
    for (const { resource, token } of Object.values(oauthAnswers)) {
      for (const [word] of [resource, token]) expect(word).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
    }
  })
})

describe('the answer to an error', () => {
  it('is that of its code, when a token was being read', () => {
    for (const code of codes) {
      expect(oauthAnswer(new AgenticError(code, 'x'), 'token')).toEqual(oauthAnswers[code])
    }
  })

  it('is that of a bad proof, when a proof was being read and the codes of the gate say that it is bad', () => {
    const gate = [
      'ERR_TOKEN_MALFORMED',
      'ERR_TOKEN_TOO_LARGE',
      'ERR_TOKEN_JSON',
      'ERR_HEADER_REFUSED',
    ] as const
    const further = [
      'ERR_ALG_REFUSED',
      'ERR_TYP_MISMATCH',
      'ERR_SIGNATURE_INVALID',
      'ERR_CLAIM_INVALID',
    ] as const
    for (const code of [...gate, ...further, 'ERR_KEY_INVALID', 'ERR_KEY_SMALL_ORDER'] as const) {
      const error = new AgenticError(code, 'x')
      expect(oauthAnswer(error, 'proof')).toEqual({
        resource: ['invalid_dpop_proof', 401],
        token: ['invalid_dpop_proof', 400],
      })
      expect(oauthAnswer(error, 'token').resource).toEqual(['invalid_token', 401])
      expect(oauthAnswer(error, 'token').token).toEqual(['invalid_grant', 400])
    }
  })

  it('stays what it is, when a proof was being read and something else was wrong', () => {
    for (const code of ['ERR_REPLAY_STORE', 'ERR_PROOF_REPLAYED', 'ERR_STORE_FAILED'] as const) {
      expect(oauthAnswer(new AgenticError(code, 'x'), 'proof')).toEqual(oauthAnswers[code])
    }
  })

  it('is an error of the server for everything that is not ours', () => {
    const impostor = Object.assign(new Error('x'), { name: 'AgenticError', code: 'ERR_SCOPE_MISSING' })
    for (const error of [new TypeError('x'), impostor, { code: 'ERR_SCOPE_MISSING' }, 'x', null, undefined]) {
      expect(oauthAnswer(error, 'token').resource).toEqual(['server_error', 500])
      expect(oauthAnswer(error, 'proof').token).toEqual(['server_error', 500])
    }
  })
})
