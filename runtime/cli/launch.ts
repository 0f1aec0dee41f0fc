/** How a run was launched, kept in the state folder so that `resume` finds its program again. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'

export interface Launch {
  /** Name or absolute path of the program. */
  readonly program: string
  readonly options: Readonly<Record<string, string>>
}

export function saveLaunch(state: string, run: string, launch: Launch): void {
  mkdirSync(join(state, 'launches'), { recursive: true, mode: 0o700 })
  writeFileSync(fileOf(state, run), JSON.stringify(launch), { mode: 0o600 })
}

/** @throws AgenticError ERR_EXECUTION_UNKNOWN */
export function loadLaunch(state: string, run: string): Launch {
  try {
    const { program, options } = parseJsonObject(readFileSync(fileOf(state, run)))
    if (typeof program === 'string') return { program, options: options as Launch['options'] }
  } catch (cause) {
    throw new AgenticError('ERR_EXECUTION_UNKNOWN', `this state folder holds no run "${run}"`, { cause })
  }
  throw new AgenticError('ERR_EXECUTION_UNKNOWN', `the launch of run "${run}" cannot be read`)
}

function fileOf(state: string, run: string): string {
  if (!/^[A-Za-z0-9-]{1,128}$/.test(run))
    throw new AgenticError('ERR_EXECUTION_UNKNOWN', 'that is not the id of a run')
  return join(state, 'launches', `${run}.json`)
}
