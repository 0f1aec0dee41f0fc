import { Command, CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../runtime/cli/exit-code.js'
import { reportError, withoutTokens } from '../../runtime/cli/report-error.js'
import { AgenticError } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { fixedKey } from '../support/fixed-keys.js'
import { forge } from '../support/forger.js'

const canary = 'canary-4f1c9a'
const token = forge({ typ: 'at+jwt' }, { sub: canary }, fixedKey('authority'))

function report(error: unknown, options: { json?: boolean; debug?: boolean } = {}) {
  const lines: Record<'out' | 'err', string[]> = { out: [], err: [] }
  const exitCode = reportError(error, {
    json: options.json ?? false,
    debug: options.debug ?? false,
    out: (line) => lines.out.push(line),
    err: (line) => lines.err.push(line),
  })
  return { exitCode, ...lines, all: [...lines.out, ...lines.err].join('\n') }
}

/** Everything in which foreign text could come up to the command line. */
const foreign: readonly unknown[] = [
  new Error(canary),
  new Error(canary, { cause: new AgenticError('ERR_STEP_FAILED', 'a step failed') }),
  new TypeError(`${canary}\n    at ${canary} (file:///x.js:1:1)`),
  new AgenticError('ERR_STEP_FAILED', 'a step failed', { cause: new Error(canary) }),
  new AgenticError('ERR_STEP_FAILED', 'a step failed', {
    cause: new AgenticError('ERR_STORE_FAILED', 'the store failed', { cause: new Error(canary) }),
  }),
  new AgenticError('ERR_STEP_FAILED', 'a step failed', { cause: canary }),
  new AgenticError('ERR_STEP_FAILED', 'a step failed', { cause: { canary } }),
  Object.assign(new Error(canary), { name: canary }),
  Object.assign(new Error('x'), { message: `${canary}\n    at ${canary} (file:///x.js:1:1)` }),
  Object.assign(new Error(canary), { code: canary, syscall: 'open' }),
  new AggregateError([new Error(canary)], canary),
  { message: canary },
  canary,
  null,
]

describe('a command that fails', () => {
  attack('X16', 'says nothing that somebody else wrote, in words or as an object', () => {
    for (const error of foreign) {
      for (const json of [false, true]) {
        const { all, exitCode } = report(error, { json })
        expect(exitCode).toBe(1)
        expect(all).toMatch(/^(?:\{.*\}\n)?baton: /)
        expect(all).not.toContain(canary)
      }
    }
  })

  attack('X16', 'shows with BATON_DEBUG=1 where it comes from, and still no foreign text', () => {
    for (const error of foreign) expect(report(error, { debug: true }).all).not.toContain(canary)
    const cause = new TypeError(canary)
    const [, trace = ''] = report(new AgenticError('ERR_STEP_FAILED', 'a step failed', { cause }), {
      debug: true,
    }).err
    expect(trace).toMatch(/^AgenticError: a step failed \(ERR_STEP_FAILED\)\n {4}at /)
    expect(trace).toMatch(/\ncaused by TypeError\n {4}at .*command-line\.test\.ts:\d+:\d+/)
  })

  attack('X16', 'does not repeat a token, wherever it was typed', () => {
    const typed: readonly [unknown, number][] = [
      [new UsageError(`there is no "${token}"`), 2],
      [new AgenticError('ERR_WORKFLOW_UNKNOWN', `there is no workflow "${token}"; known are: a`), 2],
      [new CommanderError(1, 'commander.unknownCommand', `error: unknown command '${token}'`), 2],
      [new UsageError(`"${token.slice(0, -40)}" is cut short`), 2],
    ]
    for (const [error, code] of typed) {
      const { all, exitCode } = report(error, { json: true, debug: true })
      expect(exitCode).toBe(code)
      expect(all).not.toContain('eyJ')
      expect(all).toContain('…')
    }
    expect(report(new UsageError('there is no "nix"')).err).toEqual(['baton: there is no "nix"'])
  })

  it('strikes out what the parser of the command line says, too', async () => {
    const said: string[] = []
    const program = new Command('baton').exitOverride().configureOutput({
      writeErr: (text) => said.push(text),
      outputError: (text, print) => print(withoutTokens(text)),
    })
    program.command('inspect').argument('<token>')
    await expect(program.parseAsync(['node', 'baton', token])).rejects.toThrow()
    await expect(program.parseAsync(['node', 'baton', 'inspect', `--${token}`])).rejects.toThrow()
    expect(said.join('')).toMatch(/unknown command '…'[\s\S]*unknown option '--…'/)
    expect(said.join('')).not.toContain('eyJ')
  })
})
