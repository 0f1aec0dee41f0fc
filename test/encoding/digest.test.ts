import { describe, expect, it } from 'vitest'
import {
  digestOf,
  equalConstantTime,
  sha256,
  sha256Base64url,
  sha256Hex,
} from '../../runtime/encoding/digest.js'

const ofAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

describe('digests', () => {
  it('are SHA-256 (FIPS 180-4, "abc") in each form', () => {
    expect(sha256Hex('abc')).toBe(ofAbc)
    expect(Buffer.from(sha256(Buffer.from('abc'))).toString('hex')).toBe(ofAbc)
    expect(Buffer.from(sha256Base64url('abc'), 'base64url').toString('hex')).toBe(ofAbc)
    expect(sha256Base64url('abc')).toHaveLength(43)
  })

  it('of a value is over its canonical JSON, so the order of keys does not matter and the value does', () => {
    expect(digestOf({ b: 1, a: 2 })).toBe(`sha256:${sha256Hex('{"a":2,"b":1}')}`)
    expect(digestOf({ a: 2, b: 1 })).toBe(digestOf({ b: 1, a: 2 }))
    expect(digestOf({ a: 2, b: '1' })).not.toBe(digestOf({ a: 2, b: 1 }))
  })

  it('are compared whole', () => {
    expect(equalConstantTime('sha256:aa', 'sha256:aa')).toBe(true)
    for (const other of ['sha256:ab', 'sha256:a', 'sha256:aaa', '', 'SHA256:aa']) {
      expect(equalConstantTime('sha256:aa', other)).toBe(false)
    }
    // As UTF-8 these are the same three bytes.
    for (const other of ['\ud801', '\ufffd']) expect(equalConstantTime('\ud800', other)).toBe(false)
    expect(equalConstantTime('\ud800', '\ud800')).toBe(true)
  })
})
