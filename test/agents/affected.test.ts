import { describe, expect, it } from 'vitest'
import { type Affected, isAffected, type RangeEvent, readBound } from '../../agents/advisories/affected.js'

function ranges(...all: Record<string, string>[][]): Affected {
  const events = all.map((range) =>
    range.map((event) => {
      const [[kind, version] = ['introduced', '0']] = Object.entries(event)
      return { kind, version } as RangeEvent
    }),
  )
  return { ranges: events, versions: [] }
}

function hit(affected: Affected, ...versions: string[]): string[] {
  return versions.filter((version) => isAffected(affected, version))
}

describe('an affected version', () => {
  it('lies from introduced up to, but not at, fixed', () => {
    const affected = ranges([{ introduced: '1.2.0' }, { fixed: '1.4.0' }])
    expect(hit(affected, '1.1.9', '1.2.0', '1.3.9', '1.4.0', '2.0.0')).toEqual(['1.2.0', '1.3.9'])
  })

  it('lies up to and including last_affected', () => {
    const affected = ranges([{ introduced: '0' }, { last_affected: '4.5.0' }])
    expect(hit(affected, '0.0.1', '4.5.0', '4.5.1')).toEqual(['0.0.1', '4.5.0'])
  })

  it('has no end when nothing ends the range', () => {
    expect(hit(ranges([{ introduced: '0' }]), '0.0.0-alpha', '999.0.0')).toHaveLength(2)
  })

  it('comes by precedence: a prerelease is below its release', () => {
    const affected = ranges([{ introduced: '1.0.0' }, { fixed: '2.0.0' }])
    expect(hit(affected, '1.0.0-rc.1', '1.0.0', '2.0.0-rc.1', '2.0.0')).toEqual(['1.0.0', '2.0.0-rc.1'])
    const early = ranges([{ introduced: '3.0.0-beta.1' }, { fixed: '3.0.0-beta.9' }])
    expect(hit(early, '3.0.0-alpha.9', '3.0.0-beta.8', '3.0.0-beta.9', '3.0.0-beta.10')).toEqual([
      '3.0.0-beta.8',
    ])
  })

  it('may lie in any of several ranges, events in any order', () => {
    const affected = ranges(
      [{ fixed: '6.2.4' }, { introduced: '0' }],
      [{ fixed: '6.10.3' }, { introduced: '6.10.0' }, { introduced: '6.3.0' }, { fixed: '6.3.3' }],
    )
    expect(hit(affected, '6.2.3', '6.2.4', '6.3.2', '6.3.3', '6.9.9', '6.10.2', '6.10.3')).toEqual([
      '6.2.3',
      '6.3.2',
      '6.10.2',
    ])
  })

  it('may be affected again after a fix at the same version', () => {
    const affected = ranges([
      { introduced: '1.0.0' },
      { fixed: '2.0.0' },
      { introduced: '2.0.0' },
      { fixed: '2.0.1' },
    ])
    expect(hit(affected, '1.9.0', '2.0.0', '2.0.1')).toEqual(['1.9.0', '2.0.0'])
    expect(hit(ranges([{ introduced: '1.0.0' }, { fixed: '1.0.0' }]), '1.0.0', '1.1.0')).toEqual([])
  })

  it('lies below a limit', () => {
    const affected = ranges([{ introduced: '1.0.0' }, { limit: '2.0.0' }])
    expect(hit(affected, '1.5.0', '2.0.0', '3.0.0')).toEqual(['1.5.0'])
    expect(hit(ranges([{ introduced: '1.0.0' }, { limit: '*' }]), '0.9.0', '3.0.0')).toEqual(['3.0.0'])
  })

  it('may be listed, even when it is no semantic version', () => {
    const affected: Affected = { ranges: [], versions: ['1.0.0', 'weird'] }
    expect(hit(affected, '1.0.0', '1.0.1', 'weird')).toEqual(['1.0.0', 'weird'])
    expect(isAffected(ranges([{ introduced: '0' }]), 'weird')).toBe(false)
  })

  it('ignores build metadata', () => {
    expect(hit(ranges([{ introduced: '0' }, { fixed: '1.0.1' }]), '1.0.0+build.5', '1.0.1+build.5')).toEqual([
      '1.0.0+build.5',
    ])
  })

  it('is compared with bounds as advisories write them', () => {
    expect([
      readBound('1.2.3'),
      readBound('v1.2.3'),
      readBound('1.2'),
      readBound('7'),
      readBound('1.2.3-rc.1'),
    ]).toEqual(['1.2.3', '1.2.3', '1.2.0', '7.0.0', '1.2.3-rc.1'])
    expect([readBound('abc'), readBound('1.2.3.4'), readBound('')]).toEqual([undefined, undefined, undefined])
  })
})
