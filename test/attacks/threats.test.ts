import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { threats } from './threats.js'

const folder = fileURLToPath(new URL('..', import.meta.url))

/** Threats that no test attacks yet. One leaves this list with its first attack. */
const open: readonly string[] = ['X15']

/** Every id that stands as the first argument of an `attack(…)` in a test file. */
function cited(): Set<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const ids = new Set<string>()
  for (const file of files.filter((name) => name.endsWith('.test.ts'))) {
    const source = readFileSync(`${folder}/${file}`, 'utf8')
    for (const [, first = ''] of source.matchAll(/\battack\(\s*(\[[^\]]*\]|'[^']*')/g)) {
      for (const [, id = ''] of first.matchAll(/'([^']*)'/g)) ids.add(id)
    }
  }
  return ids
}

describe('the list of threats', () => {
  it('has every id that an attack cites', () => {
    expect([...cited()].filter((id) => !Object.hasOwn(threats, id))).toEqual([])
  })

  it('has no id that is neither attacked nor listed as open', () => {
    const attacked = cited()
    expect(attacked.size).toBeGreaterThan(0)
    expect(Object.keys(threats).filter((id) => !attacked.has(id) && !open.includes(id))).toEqual([])
    expect(open.filter((id) => attacked.has(id))).toEqual([])
  })
})
