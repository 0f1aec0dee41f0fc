import { describe, expect, it } from 'vitest'
import { checkCondition, evaluateCondition } from '../../runtime/workflow/condition.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'

const data = {
  input: { severity: 'low', limit: 3, dry: false },
  outputs: {
    plan: { changes: [{ name: 'a', major: true }], score: 7.5, none: null },
    'build-report': { ok: true },
    skipped: null,
    int: { x: true },
  },
}

describe('evaluateCondition', () => {
  const answers: readonly [expression: string, answer: boolean][] = [
    ['size(plan.changes) > 0', true],
    ['plan.score >= 7.0 && plan.score < 8', true],
    ['input.severity == "high"', false],
    ['input.dry', false],
    ['plan.changes.exists(c, c.major)', true],
    ['plan.changes.all(c, c.name.startsWith("b"))', false],
    ['plan.changes[0].name == "a"', true],
    ['has(plan.missing)', false],
    ['plan.none == null', true],
    ['skipped == null', true],
    ['nobody == null', true],
    ['skipped != null && size(skipped.changes) > 0', false],
    ['steps["build-report"].ok', true],
    ['steps["gone"] == null', true],
    ['steps["int"].x', true],
    ['type(plan.score) == double', true],
    ['int(input.limit) % 2 == 1', true],
    ['input.severity in ["low", "high"]', true],
  ]
  for (const [expression, answer] of answers) {
    it(`${expression} is ${answer}`, () => {
      expect(evaluateCondition(expression, data)).toBe(answer)
    })
  }

  const refused: readonly [fact: string, expression: string][] = [
    ['what does not parse', 'size('],
    ['nothing', ''],
    ['a result that is a number', 'size(plan.changes)'],
    ['a result that is a text', 'input.severity'],
    ['a result that is null', 'plan.none'],
    ['a member that is not there', 'plan.missing == 1'],
    ['a member of a skipped step', 'size(skipped.changes) > 0'],
    ['a prototype', 'plan.constructor.name == "Object"'],
    ['a prototype by index', 'plan["__proto__"] == null'],
    ['a method of JavaScript', 'plan.changes.join(",") == plan.toString()'],
    ['a regular expression', '"aaa".matches("(a+)+$")'],
    ['binding', 'cel.bind(a, plan, a.score > 1.0)'],
    ['three nested loops', '[1].all(x, [1].all(y, [1].all(z, true)))'],
    ['`steps` as a whole', 'size(steps) > 0'],
    ['`steps` by a computed id', 'steps[input.severity] == null'],
    ['very deep nesting', `${'('.repeat(200)}true${')'.repeat(200)}`],
    ['very many parts', Array(400).fill('true').join(' && ')],
    ['a number compared with a text', 'plan.score > "a"'],
  ]
  for (const [fact, expression] of refused) {
    it(`refuses ${fact}`, async () => {
      await expectCode(() => evaluateCondition(expression, data), 'ERR_CONDITION_INVALID')
    })
  }

  it('allows two nested loops', () => {
    expect(evaluateCondition('[1].all(x, [1].all(y, x == y))', data)).toBe(true)
  })

  it('does not see what an output inherits', async () => {
    const inherited = { input: {}, outputs: { plan: Object.create({ ok: true }) } }
    await expectCode(() => evaluateCondition('plan.ok', inherited), 'ERR_CONDITION_INVALID')
    expect(evaluateCondition('plan == null', { input: {}, outputs: Object.create({ plan: 1 }) })).toBe(true)
  })

  it('repeats no data in its messages', async () => {
    const error = await expectCode(
      () => evaluateCondition('bool(input.severity)', { input: { severity: 'secret' }, outputs: {} }),
      'ERR_CONDITION_INVALID',
    )
    expect(error.message).not.toContain('secret')
  })

  attack('X16', 'names a missing key only when the expression does', async () => {
    const asked = { input: { name: 'secret' }, outputs: { plan: {} } }
    const missing = async (expression: string) =>
      (await expectCode(() => evaluateCondition(expression, asked), 'ERR_CONDITION_INVALID')).message
    expect(await missing('plan.ok')).toContain('No such key: ok')
    expect(await missing('plan[input.name] == 1')).toBe('condition: no such key')
    expect(await missing('[1][int(size(input.name))] == 1')).toBe('condition: no such key')
  })
})

describe('checkCondition', () => {
  it('knows the input and earlier steps only', async () => {
    checkCondition('plan.ok && input.dry && steps["build-report"].ok', ['plan', 'build-report'])
    for (const expression of [
      'verify.ok',
      'steps["verify"].ok',
      'steps.verify.ok',
      'process == null',
      'globalThis != null',
    ]) {
      await expectCode(() => checkCondition(expression, ['plan']), 'ERR_CONDITION_INVALID')
    }
  })

  it('says which step was probably meant', async () => {
    const error = await expectCode(() => checkCondition('plam.ok', ['plan']), 'ERR_CONDITION_INVALID')
    expect(error.message).toContain('(did you mean "plan"?)')
    const other = await expectCode(
      () => checkCondition('steps["plam"].ok', ['plan']),
      'ERR_CONDITION_INVALID',
    )
    expect(other.message).toContain('(did you mean "plan"?)')
  })

  it('demands a boolean where the type is known', async () => {
    checkCondition('size("a") == 1', [])
    await expectCode(() => checkCondition('size("a")', []), 'ERR_CONDITION_INVALID')
  })
})
