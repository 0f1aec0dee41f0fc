/** Which issuers' ID tokens count, as an operator configures it. */
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { IdTokenIssuer } from './id-token.js'

/** Reads trusted issuers from configuration.
 * @param value `[{issuer, audience, algorithms, jwks: {keys: […]}, max_age?}]`
 * @throws AgenticError ERR_INPUT_INVALID naming what is wrong */
export function parseIdTokenIssuers(value: unknown): readonly IdTokenIssuer[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid('expected a list of issuers')
  return value.map((entry: unknown) => {
    if (!isPlainObject(entry)) throw invalid('expected an object for each issuer')
    const { issuer, audience, algorithms, jwks, max_age: maxAge, ...others } = entry
    if (Object.keys(others).length > 0) throw invalid('a member that no issuer has')
    if (typeof issuer !== 'string' || !/^https:\/\//.test(issuer))
      throw invalid('"issuer" must be an https URL')
    if (typeof audience !== 'string' || audience === '') throw invalid('"audience" must be a text')
    if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(isAlgorithm))
      throw invalid('"algorithms" must list RS256, ES256, EdDSA or Ed25519')
    if (!isPlainObject(jwks) || !Array.isArray(jwks['keys']) || !jwks['keys'].every(isPlainObject))
      throw invalid('"jwks" must be a JWK Set')
    if (maxAge !== undefined && (typeof maxAge !== 'number' || !Number.isSafeInteger(maxAge) || maxAge < 1))
      throw invalid('"max_age" must be a number of seconds')
    return {
      issuer,
      audience,
      algorithms: algorithms as IdTokenIssuer['algorithms'],
      keys: jwks['keys'] as readonly JsonObject[],
      ...(maxAge !== undefined && { maxAgeSeconds: maxAge }),
    }
  })
}

function isAlgorithm(name: unknown): boolean {
  return name === 'RS256' || name === 'ES256' || name === 'EdDSA' || name === 'Ed25519'
}

function invalid(what: string): AgenticError {
  return new AgenticError('ERR_INPUT_INVALID', `trusted issuers: ${what}`)
}
