/** `baton run` and `baton resume`: from words on a command line to a finished, reported run. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { JsonObject } from '../encoding/canonical-json.js'
import { parseJsonObject } from '../encoding/strict-json.js'
import type { Program } from '../program.js'
import type { Run, RunOptions, Runtime } from '../runtime.js'
import { type ApprovalFlags, approvalsFrom } from './ask.js'
import { UsageError } from './exit-code.js'
import { loadLaunch, saveLaunch } from './launch.js'
import { openModel } from './model.js'
import { gatesOf, showOutcome } from './outcome.js'
import { type Place, type PlaceOptions, placeOf, withRuntime } from './place.js'
import { openProgram } from './programs.js'
import { type Format, formatOf, showProgress } from './progress.js'

export interface RunFlags extends PlaceOptions, ApprovalFlags {
  readonly input?: readonly string[]
  readonly inputFile?: string
  readonly model?: string
  readonly advisories?: string
  readonly acceptChanges?: boolean
  readonly idToken?: string
  readonly json?: boolean
}

export type Write = (line: string) => void

/** @returns the exit code */
export async function runCommand(reference: string, flags: RunFlags, write: Write): Promise<number> {
  const place = placeOf(flags)
  const program = await openProgram(reference, place.cwd)
  requireGates(flags, program)
  const typed = inputOf(flags, place)
  const options = programOptions(flags, place)
  const prepared = await prepare(program, typed, place, options)
  return withRuntime(place, async (runtime) => {
    await register(runtime, program, flags.acceptChanges === true, write, formatOf(flags))
    const run = await runtime.start(program.workflow, {
      ...(await runOptions(flags, write)),
      input: prepared.input,
      resources: prepared.resources,
      ...(prepared.request !== undefined && { request: prepared.request }),
      ...(flags.idToken !== undefined && { idToken: readIdToken(resolve(place.cwd, flags.idToken)) }),
    })
    const path = /\.m?js$/.test(reference) ? resolve(place.cwd, reference) : reference
    saveLaunch(place.state, run.id, { program: path, options })
    return finish(run, program, place, runtime, formatOf(flags), write)
  })
}

/** @returns the exit code */
export async function resumeCommand(runId: string, flags: RunFlags, write: Write): Promise<number> {
  const place = placeOf(flags)
  const launch = loadLaunch(place.state, runId)
  const program = await openProgram(launch.program, place.cwd)
  requireGates(flags, program)
  return withRuntime(place, async (runtime) => {
    const { execution } = await runtime.run(runId)
    await register(runtime, program, false, write, formatOf(flags))
    const prepared = await prepare(program, execution.input, place, launch.options)
    const options = { ...(await runOptions(flags, write)), resources: prepared.resources }
    const run = await runtime.resume(runId, program.workflow, options)
    return finish(run, program, place, runtime, formatOf(flags), write)
  })
}

async function finish(
  run: Run,
  program: Program,
  place: Place,
  runtime: Runtime,
  format: Format,
  write: Write,
): Promise<number> {
  const [result] = await Promise.all([run.result(), showProgress(run.events(), format, write)])
  return showOutcome(result, program, place, runtime, format, write)
}

async function prepare(
  program: Program,
  input: Readonly<Record<string, unknown>>,
  place: Place,
  options: Readonly<Record<string, string>>,
) {
  if (!program.prepare) return { input: input as JsonObject, resources: [] }
  return program.prepare(input, { cwd: place.cwd, options })
}

/** A misspelt gate must not look like an approval that was ignored. */
function requireGates(flags: RunFlags, program: Program): void {
  const gates = gatesOf(program)
  for (const name of flags.approve ?? []) {
    if (gates.has(name)) continue
    const known = [...gates].join(', ') || 'none'
    throw new UsageError(`--approve "${name}": this workflow has no such gate; its gates: ${known}`)
  }
}

async function register(
  runtime: Runtime,
  program: Program,
  acceptChanges: boolean,
  write: Write,
  format: Format,
): Promise<void> {
  const reports = await runtime.register({ agents: program.agents, acceptChanges })
  if (format === 'json') return
  for (const { agent, outcome, registration } of reports) {
    if (outcome === 'updated') write(`agent ${agent} changed; registered as version ${registration.version}`)
  }
}

async function runOptions(flags: RunFlags, write: Write): Promise<RunOptions> {
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !flags.json
  const model =
    flags.model === undefined || flags.model === 'scripted' ? undefined : await openModel(flags.model)
  return { onApproval: approvalsFrom(flags, terminal, write), ...(model && { model }) }
}

function programOptions(flags: RunFlags, place: Place): Readonly<Record<string, string>> {
  return flags.advisories === undefined ? {} : { advisories: resolve(place.cwd, flags.advisories) }
}

/** `--input-file` first, then each `--input name=value` over it. */
function inputOf(flags: RunFlags, place: Place): Record<string, unknown> {
  const input: Record<string, unknown> =
    flags.inputFile === undefined ? {} : readInputFile(resolve(place.cwd, flags.inputFile))
  for (const pair of flags.input ?? []) {
    const at = pair.indexOf('=')
    if (at < 1) throw new UsageError('--input needs name=value')
    const name = pair.slice(0, at)
    if (name === '__proto__') throw new UsageError('--input cannot set "__proto__"')
    input[name] = pair.slice(at + 1)
  }
  return input
}

/** From a file: an argument would be seen by every user of the machine. */
function readIdToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new UsageError('--id-token must name a readable file')
  }
}

function readInputFile(file: string): Record<string, unknown> {
  try {
    return { ...parseJsonObject(readFileSync(file)) }
  } catch {
    throw new UsageError(`--input-file must name a readable file that holds one JSON object`)
  }
}
