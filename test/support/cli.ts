import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = join(root, 'dist', 'runtime', 'cli', 'main.js')
/** Of the account "nobody". */
const nobody = 65_534

/** For modules that a test writes outside the checkout. */
export const frontDoor = new URL('../../dist/runtime/index.js', import.meta.url).href

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Without the empty one after the last newline. */
  readonly lines: readonly string[]
}

export interface CliOptions {
  readonly cwd: string
  readonly input?: string
  /** Runs as an account that file modes hold for. */
  readonly unprivileged?: boolean
}

/** Program and arguments of the built command. */
export function batonCommand(args: readonly string[]): readonly string[] {
  if (!existsSync(main)) throw new Error('there is no build: run "npm run build" first ("npm test" does)')
  return [process.execPath, main, ...args]
}

/** Runs the built command in a process of its own: no terminal, nothing of the caller's settings. */
export function baton(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const [program, ...rest] = batonCommand(args)
  const child = spawn(program as string, rest, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: options.cwd },
    ...(options.unprivileged && asNobody()),
  })
  child.stdin.end(options.input ?? '')
  return ended(child)
}

/** All that a process says, once it has ended. */
export function ended(child: ChildProcessByStdio<Writable | null, Readable, Readable>): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr, lines: stdout.trimEnd().split('\n') }))
  })
}

/** The last line of a command with --json. */
export function lastObject(result: CliResult): Record<string, unknown> {
  return JSON.parse(result.lines.at(-1) ?? '') as Record<string, unknown>
}

/** False where root runs from a folder that nobody else may read. */
export function canRunUnprivileged(): boolean {
  return spawnSync(process.execPath, [main, '--help'], { cwd: '/', ...asNobody() }).status === 0
}

function asNobody(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
}
