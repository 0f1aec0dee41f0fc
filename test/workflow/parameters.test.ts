import { describe, expect, it } from 'vitest'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { resolveParameters } from '../../runtime/workflow/parameters.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition } from '../support/patching-workflow.js'

const workflow = defineWorkflow(patchingDefinition)

describe('resolveParameters', () => {
  it('fills in defaults', () => {
    expect(resolveParameters(workflow, { repo: '/repo' })).toEqual({
      repo: '/repo',
      severity: 'low',
      limit: 10,
      dry: false,
    })
  })

  it('converts the texts of a command line to numbers and booleans', () => {
    expect(resolveParameters(workflow, { repo: '/r', limit: '-2.5e1', dry: 'true' })).toMatchObject({
      limit: -25,
      dry: true,
    })
    expect(resolveParameters(workflow, { repo: '/r', limit: 3, dry: true })).toMatchObject({
      limit: 3,
      dry: true,
    })
  })

  const refused: readonly [fact: string, input: Record<string, unknown>, names: string][] = [
    ['a required one that is missing', {}, '"repo"'],
    ['a required one that is undefined', { repo: undefined }, '"repo"'],
    ['an unknown one', { repo: '/r', severty: 'low' }, '(did you mean "severity"?)'],
    ['an unknown one that objects inherit', { repo: '/r', toString: 'x' }, 'takes only: '],
    ['a number for a text', { repo: 1 }, '"repo"'],
    ['null', { repo: null }, '"repo"'],
    ['an object', { repo: { toString: () => '/r' } }, '"repo"'],
    ['a list', { repo: ['/r'] }, '"repo"'],
    ['an empty directory', { repo: '' }, '"repo"'],
    ['a directory with NUL', { repo: '/r\0' }, '"repo"'],
    ['a lone surrogate', { repo: '/\ud800' }, '"repo"'],
    ['a very long text', { repo: '/'.repeat(16_385) }, '"repo"'],
    ['a value outside the enum', { repo: '/r', severity: 'Low' }, '"low", "high"'],
    ['a text that is no number', { repo: '/r', limit: '10x' }, '"limit"'],
    ['an empty number', { repo: '/r', limit: '' }, '"limit"'],
    ['a hexadecimal number', { repo: '/r', limit: '0x10' }, '"limit"'],
    ['NaN', { repo: '/r', limit: Number.NaN }, '"limit"'],
    ['Infinity', { repo: '/r', limit: '1e999' }, '"limit"'],
    ['an integer that loses digits', { repo: '/r', limit: '9007199254740993' }, '"limit"'],
    ['a boolean in other words', { repo: '/r', dry: 'yes' }, '"dry"'],
    ['a number for a boolean', { repo: '/r', dry: 1 }, '"dry"'],
  ]
  for (const [fact, input, names] of refused) {
    it(`refuses ${fact}`, async () => {
      const error = await expectCode(() => resolveParameters(workflow, input), 'ERR_INPUT_INVALID')
      expect(error.message).toContain(names)
    })
  }

  it('refuses what is no object, and reads own members only', async () => {
    for (const input of [null, 'repo', [], Object.create({ repo: '/r' })]) {
      await expectCode(() => resolveParameters(workflow, input), 'ERR_INPUT_INVALID')
    }
  })

  attack('X16', 'does not repeat a name that it does not know: it may be a value', async () => {
    for (const input of [{ secret: 'x' }, { repo: '/r', [`secret${'x'.repeat(60)}`]: true }]) {
      const error = await expectCode(() => resolveParameters(workflow, input), 'ERR_INPUT_INVALID')
      expect(error.message).not.toContain('secret')
    }
  })

  it('does not repeat a value in a message', async () => {
    const error = await expectCode(
      () => resolveParameters(workflow, { repo: '/r', severity: 'secret' }),
      'ERR_INPUT_INVALID',
    )
    expect(error.message).not.toContain('secret')
  })

  it('returns a frozen object', () => {
    expect(Object.isFrozen(resolveParameters(workflow, { repo: '/r' }))).toBe(true)
  })
})
