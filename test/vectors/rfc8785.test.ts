import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { parseJson } from '../../runtime/encoding/strict-json.js'
import { vectors } from '../support/vectors.js'

const folder = vectors('rfc8785')

describe.skipIf(!folder)('RFC 8785 test files', () => {
  const names = folder ? readdirSync(join(folder, 'input')).sort() : []

  it('are six', () => {
    expect(names).toHaveLength(6)
  })

  it.each(names)('%s comes out byte for byte, and reads back to the same', (name) => {
    const input = readFileSync(join(folder ?? '', 'input', name))
    const output = readFileSync(join(folder ?? '', 'output', name), 'utf8')
    expect(canonicalize(parseJson(input))).toBe(output)
    expect(canonicalize(parseJson(output))).toBe(output)
  })
})
