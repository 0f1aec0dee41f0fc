import { describe, expect, it } from 'vitest'
import { checkpointText, parseCheckpointText } from '../../runtime/audit/checkpoint.js'
import {
  keyIdOf,
  parseNote,
  requireKeyName,
  signNote,
  verifierKeyOf,
  verifyNote,
} from '../../runtime/audit/note.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'

const key = fixedKey('audit')
const name = 'https://authority.example/t/acme'
const text = `${name}\n3\n${Buffer.alloc(32, 7).toString('base64')}\n`

describe('a signed note', () => {
  // The example of golang.org/x/mod/sumdb/note, where the format comes from.
  const example = {
    vkey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    note:
      'If you think cryptography is the answer to your problem,\n' +
      "then you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
  }
  const raw = Buffer.from(example.vkey.split('+').slice(2).join('+'), 'base64').subarray(1)
  const peter = keyring.publicKey({ kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') })

  it('of the reference implementation is read and verified', () => {
    expect(verifierKeyOf('PeterNeumann', peter)).toBe(example.vkey)
    const note = parseNote(example.note)
    expect(note.text.split('\n')).toHaveLength(3)
    verifyNote(note, 'PeterNeumann', peter)
  })

  it('is its text, an empty line and one line for the signature', () => {
    const note = signNote(text, name, key)
    const signature = Buffer.concat([keyIdOf(name, key.publicKey), key.sign(text)]).toString('base64')
    expect(note).toBe(`${text}\n— ${name} ${signature}\n`)
    verifyNote(parseNote(note), name, key.publicKey)
  })

  it('is refused when its text was changed', async () => {
    const note = signNote(text, name, key).replace('\n3\n', '\n4\n')
    await expectCode(() => verifyNote(parseNote(note), name, key.publicKey), 'ERR_AUDIT_CORRUPT')
  })

  it('is refused when only others signed it, and accepted when others signed it too', async () => {
    const witness = signNote(text, 'witness.example', fixedKey('witness')).split('\n\n')[1] as string
    const note = signNote(text, name, key)
    verifyNote(parseNote(note + witness), name, key.publicKey)
    await expectCode(
      () => verifyNote(parseNote(`${text}\n${witness}`), name, key.publicKey),
      'ERR_AUDIT_CORRUPT',
    )
  })

  it('is refused when the same key signed it under another name', async () => {
    const note = signNote(text, 'https://other.example', key)
    await expectCode(() => verifyNote(parseNote(note), name, key.publicKey), 'ERR_AUDIT_CORRUPT')
  })

  it.each([
    ['no empty line', text],
    ['no signature', `${text}\n`],
    ['a hyphen for the dash', signNote(text, name, key).replace('—', '-')],
    ['no newline at the end', signNote(text, name, key).slice(0, -1)],
    ['a carriage return', signNote(text, name, key).replaceAll('\n', '\r\n')],
    ['stray bits in the base64', signNote(text, name, key).replace(/.(==?\n)$/, 'B$1')],
    ['seventeen signatures', `${text}\n${`${signNote(text, name, key).split('\n\n')[1]}`.repeat(17)}`],
  ])('with %s is malformed', async (_what, note) => {
    await expectCode(() => parseNote(note), 'ERR_AUDIT_CORRUPT')
  })

  it('is not made of a text that does not end in a newline', () => {
    expect(() => signNote('text', name, key)).toThrow(TypeError)
    expect(() => signNote('te\u0000xt\n', name, key)).toThrow(TypeError)
    expect(signNote('text\n', name, key)).toMatch(/^text\n\n— /)
  })
})

describe('a key name', () => {
  it.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u0085b', 'a\nb'])('cannot be %j', (bad) => {
    expect(() => requireKeyName(bad)).toThrow(TypeError)
  })
  it('can be a URL', () => expect(requireKeyName(name)).toBe(name))
})

describe('the text of a checkpoint', () => {
  const root = new Uint8Array(32).fill(7)

  it('is origin, size and root, each on its line', () => {
    expect(checkpointText({ origin: name, size: 3, root })).toBe(text)
    expect(parseCheckpointText(text)).toEqual({ origin: name, size: 3, root })
  })

  it('may have extension lines, which are passed over', () => {
    expect(parseCheckpointText(`${text}extension\n`).size).toBe(3)
  })

  it.each([
    ['a leading zero', text.replace('\n3\n', '\n03\n')],
    ['a sign', text.replace('\n3\n', '\n+3\n')],
    ['a size beyond 2^53', text.replace('\n3\n', '\n9007199254740993\n')],
    ['a short root', `${name}\n3\n${Buffer.alloc(31).toString('base64')}\n`],
    ['no root', `${name}\n3\n`],
    ['an empty origin', text.slice(name.length)],
    ['an empty extension line', `${text}\nextension\n`],
    ['no newline at the end', text.slice(0, -1)],
  ])('with %s is malformed', async (_what, bad) => {
    await expectCode(() => parseCheckpointText(bad), 'ERR_AUDIT_CORRUPT')
  })
})
