import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { advisorySet, affecting } from '../../agents/advisories/advisory-set.js'
import { embeddedAdvisories, loadAdvisories } from '../../agents/advisories/load.js'
import { parseOsvRecord } from '../../agents/advisories/osv-record.js'
import { recordOf } from '../support/advisories.js'
import { expectCode } from '../support/expect-code.js'
import { vectors } from '../support/vectors.js'

const record = recordOf('left', [['0', '1.2.0']], 'TEST-left')

describe('an OSV record', () => {
  it('gives npm packages with their ranges, and a severity computed from its vector', () => {
    const advisory = parseOsvRecord(record, 'here')
    expect(advisory.severity).toEqual({ rating: 'high', score: 7.5, basis: 'cvss3' })
    expect([...advisory.affected.keys()]).toEqual(['left'])
  })

  it('is rated by the database where its vector is not of CVSS v3, and the basis says so', () => {
    const severity = [
      { type: 'CVSS_V4', score: 'CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:N/VA:N/SC:L/SI:L/SA:L' },
    ]
    const stated = { ...record, severity, database_specific: { severity: 'MODERATE' } }
    expect(parseOsvRecord(stated, 'here').severity).toEqual({
      rating: 'medium',
      score: null,
      basis: 'stated',
    })
    expect(parseOsvRecord({ ...record, severity: [] }, 'here').severity.rating).toBe('unknown')
  })

  it('about another ecosystem, or withdrawn, judges nothing', () => {
    const other = {
      ...record,
      affected: [{ package: { ecosystem: 'PyPI', name: 'left' }, ranges: 'anything' }],
    }
    expect(parseOsvRecord(other, 'here').affected.size).toBe(0)
    const withdrawn = parseOsvRecord({ ...record, withdrawn: '2024-02-01T00:00:00Z' }, 'here')
    const set = advisorySet([withdrawn])
    expect([set.size, set.skipped, set.of('left').length]).toEqual([0, 1, 0])
  })

  it('with a bound that is no version is not judged in that range, and a note says so', () => {
    const advisory = parseOsvRecord(
      recordOf('left', [
        ['0', 'next'],
        ['2.0.0', '2.1.0'],
      ]),
      'here',
    )
    expect(advisory.notes).toEqual(['TEST-1: a range of left is not judged, its bound "next" is no version'])
    expect(advisory.affected.get('left')?.ranges).toHaveLength(1)
  })

  it.each([
    ['text', 'here must be an object'],
    [{ ...record, id: 5 }, 'here: "id" must be a text'],
    [{ ...record, modified: 'soon' }, 'here: "modified" must be a date'],
    [{ ...record, affected: {} }, 'here: "affected" must be an array'],
    [
      { ...record, affected: [{ package: { ecosystem: 'npm' } }] },
      'here: "affected[0]".package.name must be a text',
    ],
    [
      {
        ...record,
        affected: [{ package: { ecosystem: 'npm', name: 'x' }, ranges: [{ type: 'SEMVER', events: [{}] }] }],
      },
      'here: "affected[0]".ranges[0].events[0] must have exactly one of introduced, fixed, last_affected, limit',
    ],
  ])('of the wrong shape is refused (%#)', async (value, sentence) => {
    expect((await expectCode(() => parseOsvRecord(value, 'here'), 'ERR_TOOL_FAILED')).message).toBe(sentence)
  })

  it('replaces an older one of the same id', () => {
    const newer = { ...recordOf('left', [['0', '1.3.0']], 'TEST-left'), modified: '2024-06-01T00:00:00Z' }
    const set = advisorySet([parseOsvRecord(newer, 'a'), parseOsvRecord(record, 'b')])
    expect(affecting(set, 'left', '1.2.5').map((one) => one.id)).toEqual(['TEST-left'])
    expect(affecting(set, 'left', '1.3.0')).toEqual([])
  })
})

describe('the embedded advisories', () => {
  it('are read, and judge a version that is known to be affected and one that is known to be fixed', async () => {
    const set = await embeddedAdvisories()
    expect([set.size, set.skipped, set.notes]).toEqual([30, 0, []])
    expect(affecting(set, 'lodash', '4.17.15').map((one) => one.id)).toEqual([
      'GHSA-29mw-wpgm-hmr9',
      'GHSA-35jh-r3h4-6jhm',
      'GHSA-p6mc-m468-83gw',
    ])
    expect(affecting(set, 'lodash', '4.17.21')).toEqual([])
  })

  it('hold facts and no prose', () => {
    const text = readFileSync(new URL('../../agents/advisories/osv-facts.json', import.meta.url), 'utf8')
    const keys = new Set((JSON.parse(text) as object[]).flatMap((one) => Object.keys(one)))
    const facts = ['affected', 'aliases', 'database_specific', 'id', 'modified', 'published', 'severity']
    expect([...keys].sort()).toEqual(facts)
  })

  const file = vectors('osv/advisories.jsonl')
  it.skipIf(!file)('agree with their source in every fact', () => {
    const text = readFileSync(new URL('../../agents/advisories/osv-facts.json', import.meta.url), 'utf8')
    const source = readFileSync(file ?? '', 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const facts = source.map(
      ({ id, modified, published, aliases, severity, affected, database_specific }) => ({
        id,
        modified,
        published,
        aliases,
        severity,
        affected,
        database_specific: { severity: database_specific.severity },
      }),
    )
    expect(JSON.parse(text)).toEqual(facts)
  })
})

describe('a folder of advisories', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'advisories-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))

  it('is read from .json and .jsonl files, in folders too, and nothing else is', async () => {
    mkdirSync(join(folder, 'npm'))
    write('npm/one.json', record)
    write('more.jsonl', `${JSON.stringify(recordOf('right', [['0', '2.0.0']], 'TEST-right'))}\n\n`)
    write('README.md', 'not JSON')
    const set = await loadAdvisories(folder)
    expect([set.size, set.of('left').length, set.of('right').length, set.of('lodash').length]).toEqual([
      2, 1, 1, 0,
    ])
  })

  it('names the file and line that it cannot read', async () => {
    write('a.jsonl', `${JSON.stringify(record)}\n{"id": 1}\n`)
    const shape = await expectCode(loadAdvisories(folder), 'ERR_TOOL_FAILED')
    expect(shape.message).toBe('advisory file a.jsonl line 2: "id" must be a text')
    write('a.jsonl', '{')
    const syntax = await expectCode(loadAdvisories(folder), 'ERR_TOOL_FAILED')
    expect(syntax.message).toBe('advisory file a.jsonl line 1 is not valid JSON')
  })

  it('that is missing or empty is an error, not an all-clear', async () => {
    await expectCode(loadAdvisories(folder), 'ERR_TOOL_FAILED')
    await expectCode(loadAdvisories(join(folder, 'none')), 'ERR_TOOL_FAILED')
    write('one.json', record)
    expect((await loadAdvisories(folder)).size).toBe(1)
  })
})
