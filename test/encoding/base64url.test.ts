import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url, viewBase64url } from '../../runtime/encoding/base64url.js'
import { expectCode } from '../support/expect-code.js'

describe('base64url (RFC 4648 §5 without padding)', () => {
  it('has the RFC 4648 §10 encodings', () => {
    const vectors = {
      '': '',
      f: 'Zg',
      fo: 'Zm8',
      foo: 'Zm9v',
      foob: 'Zm9vYg',
      fooba: 'Zm9vYmE',
      foobar: 'Zm9vYmFy',
    }
    for (const [text, encoded] of Object.entries(vectors)) {
      expect(encodeBase64url(text)).toBe(encoded)
      expect(Buffer.from(decodeBase64url(encoded)).toString()).toBe(text)
    }
  })

  it('uses - and _ and encodes a text as its UTF-8 bytes', () => {
    expect(encodeBase64url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe('-__-')
    expect(encodeBase64url('é')).toBe(encodeBase64url(Uint8Array.of(0xc3, 0xa9)))
  })

  it('encodes a view as the bytes it shows, not those around it', () => {
    expect(encodeBase64url(Uint8Array.of(1, 2, 3, 4).subarray(1, 3))).toBe(
      encodeBase64url(Uint8Array.of(2, 3)),
    )
  })

  it.each([
    ['padding', 'Zg==', 'Zg'],
    ['a space', 'Zm9 v', 'Zm9v'],
    ['a line feed at the end', 'Zm9v\n', 'Zm9v'],
    ['the other alphabet', '+//+', '-__-'],
    ['stray bits in the last character', 'Zh', 'Zg'],
    ['a length that no bytes have', 'Zm9vZ', 'Zm9vZg'],
    ['a letter outside ASCII', 'Zm9ŝ', 'Zm9v'],
    ['a null character', 'Zm9v\0', 'Zm9v'],
  ])('%s is refused, the same without it is read', async (_what, refused, accepted) => {
    await expectCode(() => decodeBase64url(refused), 'ERR_BASE64URL_INVALID')
    await expectCode(() => viewBase64url(refused), 'ERR_BASE64URL_INVALID')
    expect(encodeBase64url(decodeBase64url(accepted))).toBe(accepted)
  })

  it('reads back every byte string, into memory of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeBase64url(encodeBase64url(bytes))
        expect(Buffer.from(decoded).equals(bytes)).toBe(true)
        expect(decoded.buffer.byteLength).toBe(bytes.length)
      }),
      { seed: 4648, numRuns: 300 },
    )
  })
})
