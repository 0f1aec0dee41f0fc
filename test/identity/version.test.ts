import { describe, expect, it } from 'vitest'
import { nextVersion } from '../../runtime/identity/version.js'

describe('nextVersion', () => {
  const components = (tools: Record<string, string>, prompt = 'p') => ({ prompt, tools, configuration: 'c' })

  it('counts the gravest change', () => {
    const before = components({ read: 'a' })
    expect(nextVersion('1.4.2', before, components({ read: 'b', send: 'c' }))).toBe('2.0.0')
    expect(nextVersion('1.4.2', before, components({ send: 'c' }))).toBe('2.0.0')
    expect(nextVersion('1.4.2', before, components({ read: 'a', send: 'c' }, 'q'))).toBe('2.0.0')
    expect(nextVersion('1.4.2', before, components({ read: 'a', send: 'c' }))).toBe('1.5.0')
    expect(nextVersion('1.4.2', before, { ...before, code: 'x' })).toBe('1.4.3')
  })
})
