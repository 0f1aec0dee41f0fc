import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baton } from '../support/cli.js'
import { contentOf, type Workplace, workplace } from '../support/vulnerable-project.js'

const sample = fileURLToPath(new URL('../../examples/vulnerable-shop', import.meta.url))

let place: Workplace
beforeEach(() => {
  place = workplace()
})
afterEach(() => place.dispose())

describe('baton demo', { timeout: 120_000 }, () => {
  it('patches a copy of the sample, says that it approves by itself, and can be repeated', async () => {
    const before = contentOf(sample)
    for (const time of ['first', 'second']) {
      const { code, stdout, stderr } = await baton(['demo'], { cwd: place.folder })
      expect({ time, code, stderr }).toEqual({ time, code: 0, stderr: '' })
      expect(stdout).toContain('approves the plan by itself')
      expect(stdout).toMatch(/^patch +patcher .* 3 /m)
      expect(stdout).toMatch(/^audit: \d+ records under a signed checkpoint, verified/m)
      const copy = contentOf(place.path('.baton', 'demo', 'vulnerable-shop'))
      expect(copy['package-lock.json']).not.toBe(before['package-lock.json'])
    }
    expect(contentOf(sample)).toEqual(before)
  })
})
