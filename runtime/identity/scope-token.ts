/** The syntax of one scope (RFC 6749 §3.3). */

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

/** True for a `scope-token`: visible ASCII without space, `"` and `\`; at most 128 characters. */
export function isScopeToken(text: unknown): text is string {
  return typeof text === 'string' && scopeToken.test(text)
}
