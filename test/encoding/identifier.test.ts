import { describe, expect, it } from 'vitest'
import { isIdentifier, isToolName, requireIdentifier } from '../../runtime/encoding/identifier.js'
import { expectCode } from '../support/expect-code.js'

describe('identifiers (PROTOCOL 1)', () => {
  it.each(['a', '0', 'scanner', 'agent:v1.2_3-4', 'x'.repeat(128)])('%s is one', (text) => {
    expect(isIdentifier(text)).toBe(true)
    expect(isToolName(text)).toBe(true)
    expect(requireIdentifier(text, 'agent id')).toBe(text)
  })

  it.each([
    '',
    '-a',
    '.a',
    '_a',
    '__proto__',
    'a b',
    'a\n',
    'ä',
    'a%2f',
    'a|b',
    'x'.repeat(129),
    1,
    null,
    undefined,
    ['a'],
  ])('%j is none, not even as a tool name', async (text) => {
    expect(isIdentifier(text)).toBe(false)
    expect(isToolName(text)).toBe(false)
    await expectCode(() => requireIdentifier(text, 'agent id'), 'ERR_ID_INVALID')
  })

  it('a tool name may have segments, none of them empty or relative', () => {
    expect(isToolName('repo/files/read')).toBe(true)
    expect(isIdentifier('repo/files/read')).toBe(false)
    for (const text of ['/a', 'a/', 'a//b', 'a/../b', 'a/./b', `a/${'x'.repeat(127)}`]) {
      expect(isToolName(text)).toBe(false)
    }
    expect(isToolName(`a/${'x'.repeat(126)}`)).toBe(true)
  })

  it('a long text that almost fits is refused in linear time', () => {
    expect(isToolName('a/'.repeat(100_000))).toBe(false)
  })
})
