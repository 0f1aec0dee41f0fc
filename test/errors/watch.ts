/** Looks for secrets in everything that comes out: in words, in bytes, in every spelling they could have. */

export interface Watch {
  /** From here on it is looked for; bytes as hex, base64 and base64url. */
  secret(name: string, value: string | Uint8Array): void
  /** A compact JWS: whole, its parts, and its signing input. */
  token(name: string, compact: string): void
  /** Reports each secret in a text. */
  look(place: string, text: string): void
  /** A reason that was seen, and in how many places it was looked at. */
  code(code: string): void
  readonly codes: ReadonlySet<string>
  readonly leaks: readonly string[]
  readonly looks: number
  readonly secrets: number
}

/** Any compact JWS, or what is left of one. */
const compactJws = /eyJ[\w-]{6,}\.[\w-]*/

export function createWatch(): Watch {
  const secrets = new Map<string, string>()
  const codes = new Set<string>()
  const leaks = new Set<string>()
  let looks = 0
  const add = (name: string, text: string) => {
    if (text.length < 8) throw new Error(`"${name}" is too short to be recognised`)
    secrets.set(text, name)
  }
  return {
    secret(name, value) {
      if (typeof value === 'string') return add(name, value)
      const bytes = Buffer.from(value)
      add(`${name}, hex`, bytes.toString('hex'))
      add(`${name}, base64`, bytes.toString('base64').replace(/=+$/, ''))
      add(`${name}, base64url`, bytes.toString('base64url'))
      add(`${name}, bytes`, [...bytes].join(','))
    },
    token(name, compact) {
      for (const part of compact.split('.')) if (part.length >= 16) add(`part of ${name}`, part)
    },
    look(place, text) {
      looks += 1
      for (const [secret, name] of secrets) if (text.includes(secret)) leaks.add(`${place}: ${name}`)
      if (compactJws.test(text)) leaks.add(`${place}: a compact JWS`)
    },
    code: (code) => void codes.add(code),
    codes,
    get leaks() {
      return [...leaks]
    },
    get looks() {
      return looks
    },
    get secrets() {
      return secrets.size
    },
  }
}
