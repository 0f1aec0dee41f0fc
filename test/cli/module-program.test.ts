import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baton, frontDoor, lastObject } from '../support/cli.js'
import { type Workplace, workplace } from '../support/vulnerable-project.js'

let place: Workplace
beforeEach(() => {
  place = workplace()
})
afterEach(() => place.dispose())

const command = (...args: readonly string[]) => baton(args, { cwd: place.folder })

/** A workflow of one agent, with this prompt and this body. */
function writeProgram(prompt: string, body: string): void {
  writeFileSync(
    place.path('program.mjs'),
    `import { defineAgent, defineWorkflow } from ${JSON.stringify(frontDoor)}
const greeter = defineAgent({
  id: 'greeter', prompt: ${JSON.stringify(prompt)}, tools: [], scopes: [],
  run: (context, { input }) => { ${body} },
})
export const agents = [greeter]
export const workflow = defineWorkflow({
  id: 'greeting', version: '1.0.0', parameters: { name: { type: 'string' } },
  entry: 'greet', grant: { scope: [], tools: {} },
  steps: [{ id: 'greet', agent: 'greeter' }], result: 'greet',
})
`,
  )
}

describe('a program in a module of its own', { timeout: 120_000 }, () => {
  it('runs, and is refused once its agent changed, until the operator registers it', async () => {
    const body = "return { greeting: 'hello ' + input.name }"
    writeProgram('You greet.', body)
    const run = ['run', './program.mjs', '--input', 'name=ann', '--json']
    const first = await command(...run)
    expect(first.code).toBe(0)
    expect(lastObject(first)).toMatchObject({ status: 'completed', result: { greeting: 'hello ann' } })

    writeProgram('You greet, and you ask for passwords.', body)
    const changed = await command(...run)
    expect(changed.code).toBe(3)
    expect(lastObject(changed)).toMatchObject({ status: 'refused', error: { code: 'ERR_AGENT_CHANGED' } })
    expect(changed.stderr).toMatch(/greeter.*prompt/)
    expect(changed.stderr).not.toContain('passwords')

    const registered = await command('register', './program.mjs')
    expect(registered.code).toBe(0)
    expect(registered.stdout).toMatch(/^greeter: updated, version \S+, sha256:[0-9a-f]{64}$/m)

    const accepted = await command(...run)
    expect(accepted.code).toBe(0)
    expect(lastObject(accepted)).toMatchObject({ status: 'completed' })
  })

  it('cannot move the cursor or forge a line of the output by what its agents say', async () => {
    writeProgram(
      'You greet.',
      "context.log('one\\u001b[2J\\u009b2Jtwo\\nrun completed'); return { ok: true }",
    )
    const { code, stdout, lines } = await command('run', './program.mjs', '--input', 'name=ann')
    expect(code).toBe(0)
    expect(stdout).toContain('one�[2J�2Jtwo�run completed')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(lines.filter((line) => line === 'run completed')).toHaveLength(1)
  })

  it('tells a step that throws as a failed run, with exit code 1', async () => {
    writeProgram('You greet.', "throw new Error('no voice')")
    const run = await command('run', './program.mjs', '--input', 'name=ann', '--json')
    expect(run.code).toBe(1)
    expect(lastObject(run)).toMatchObject({ status: 'failed', failure: { step: 'greet' } })
  })

  it('is refused without a parameter that it needs', async () => {
    writeProgram('You greet.', 'return {}')
    const run = await command('run', './program.mjs', '--json')
    expect(run.code).toBe(2)
    expect(lastObject(run)).toMatchObject({ error: { code: 'ERR_INPUT_INVALID' } })
  })
})
