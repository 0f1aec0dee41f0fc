import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'

/** A compact JWS of any header and any claims under any key: what an attacker who holds that key can make.
 * @param header added to `alg` Ed25519; a member that is undefined is left out
 * @param claims an object, or text that is signed as it is */
export function forge(header: Record<string, unknown>, claims: object | string, key: SigningKey): string {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims)
  const input = `${encodeBase64url(JSON.stringify({ alg: 'Ed25519', ...header }))}.${encodeBase64url(payload)}`
  return `${input}.${encodeBase64url(key.sign(input))}`
}

/** The claims of a compact JWS, read without a look at anything else. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

/** Changes, adds or (undefined) removes members, one level deep in `changes` per dotted name: `intent.use`. */
export function changed(
  claims: Record<string, unknown>,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  const copy = structuredClone(claims)
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    let place = copy
    for (const name of names) place = place[name] as Record<string, unknown>
    if (value === undefined) delete place[last]
    else place[last] = value
  }
  return copy
}
