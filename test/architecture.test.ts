import { readdirSync } from 'node:fs'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { describe, expect, it } from 'vitest'
import rules from '../.dependency-cruiser.mjs'
import { arrows } from '../arrows.mjs'

describe('the house', async () => {
  const { output } = await cruise(
    ['runtime', 'agents', 'workflows', 'examples', 'bench'],
    { ...rules.options, ruleSet: { forbidden: rules.forbidden }, validate: true },
    undefined,
    { tsConfig: await parsedTsConfig() },
  )
  const result = output as ICruiseResult

  it('is really looked at', () => {
    // A wrong compiler version makes the cruiser see nothing and approve of it.
    expect(result.summary.totalCruised).toBeGreaterThan(50)
    expect(result.summary.totalDependenciesCruised ?? 0).toBeGreaterThan(100)
  })

  it('has no arrow that the table does not allow', () => {
    const broken = result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
    expect(broken).toEqual([])
  })

  it('has a line in the table for every room, and a room for every line', () => {
    const rooms = readdirSync('runtime', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(rooms.map((room) => room.name).sort()).toEqual(Object.keys(arrows).sort())
  })
})

async function parsedTsConfig() {
  const { default: extractTSConfig } = await import('dependency-cruiser/config-utl/extract-ts-config')
  return extractTSConfig('tsconfig.json')
}
