import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { baton, lastObject } from '../support/cli.js'
import { contentOf, type Workplace, workplace } from '../support/vulnerable-project.js'

let place: Workplace
beforeAll(() => {
  place = workplace()
  writeFileSync(place.path('broken.mjs'), 'throw new Error("\\u001b[2Jnot today\\nrun completed")')
  writeFileSync(place.path('empty.mjs'), 'export const workflow = undefined')
  writeFileSync(place.path('list.json'), '[]')
})
afterAll(() => place.dispose())

const command = (...args: readonly string[]) => baton(args, { cwd: place.folder })

const wrong: readonly (readonly [fact: string, args: readonly string[], code: string, says: RegExp])[] = [
  ['an unknown option', ['run', 'x', '--nix'], 'ERR_USAGE', /unknown option '--nix'/],
  ['an unknown command', ['fly'], 'ERR_USAGE', /unknown command 'fly'/],
  ['a missing argument', ['run'], 'ERR_USAGE', /missing required argument 'workflow'/],
  ['an unknown workflow', ['run', 'nix'], 'ERR_WORKFLOW_UNKNOWN', /there is no workflow "nix"; known are: /],
  ['a module that is not there', ['run', './nix.mjs'], 'ERR_WORKFLOW_UNKNOWN', /there is no file/],
  [
    'a module that throws',
    ['run', './broken.mjs'],
    'ERR_WORKFLOW_INVALID',
    /cannot be loaded: Error: .*not today/,
  ],
  ['a module without a workflow', ['run', './empty.mjs'], 'ERR_WORKFLOW_INVALID', /must export "workflow"/],
  ['a project that is not named', ['run', 'vulnerability-patching'], 'ERR_INPUT_INVALID', /--input repo=DIR/],
  [
    'a project that is not there',
    ['run', 'vulnerability-patching', '--input', 'repo=gone'],
    'ERR_INPUT_INVALID',
    /there is no folder .*gone/,
  ],
  [
    'an input without a value',
    ['run', 'vulnerability-patching', '--input', 'repo'],
    'ERR_USAGE',
    /name=value/,
  ],
  [
    'an input file that holds no object',
    ['run', 'vulnerability-patching', '--input-file', 'list.json'],
    'ERR_USAGE',
    /holds one JSON object/,
  ],
  ['a run that is not there', ['resume', 'nix'], 'ERR_EXECUTION_UNKNOWN', /no run "nix"/],
  ['a run outside the state folder', ['resume', '../../nix'], 'ERR_EXECUTION_UNKNOWN', /no run/],
  [
    'a state folder without a log',
    ['audit', 'verify', '--state', 'gone'],
    'ERR_USAGE',
    /there is no audit log/,
  ],
]

describe('a command line that cannot be carried out', { timeout: 60_000 }, () => {
  it.each(wrong)('says in a sentence, an object and exit code 2: %s', async (_fact, args, code, says) => {
    const result = await command(...args, '--json')
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(says)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]|\n {4}at /)
    expect(result.lines).toHaveLength(1)
    expect(lastObject(result)).toEqual({
      status: 'failed',
      error: { code, message: expect.stringMatching(says) },
    })
  })

  it('leaves no state folder behind when nothing was run', () => {
    expect(Object.keys(contentOf(place.folder))).toEqual(['broken.mjs', 'empty.mjs', 'list.json'])
  })

  it('tells a file that cannot be written by its name, without a stack', async () => {
    const result = await command('graph', 'vulnerability-patching', '--svg', 'gone/graph.svg')
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/^baton: [^\n]*graph\.svg cannot be used: [^\n]* \(ENOENT\)\n$/)
  })
})

describe('baton --help', { timeout: 60_000 }, () => {
  it('lists the commands and exits 0', async () => {
    const { code, stdout, stderr } = await command('--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of ['run', 'runs', 'approve', 'deny', 'resume', 'graph', 'agents', 'inspect', 'audit']) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    }
  })

  it('is what a bare call prints, with exit code 2', async () => {
    const { code, stderr } = await command()
    expect(code).toBe(2)
    expect(stderr).toContain('Commands:')
  })
})
