/** Where a command works: the user's folder, and the state folder in it. */
import { join, resolve } from 'node:path'
import { createRuntime } from '../compose.js'
import type { Runtime } from '../runtime.js'

export interface Place {
  /** What relative paths are relative to. */
  readonly cwd: string
  /** `.baton` there, or what `--state` says. */
  readonly state: string
  readonly store: string
}

export interface PlaceOptions {
  readonly state?: string
  readonly store?: string
}

/**
 * Under `npm start` and `npm run baton` the process stands in the package's root; the user stood in INIT_CWD.
 */
export function placeOf(options: PlaceOptions, env: NodeJS.ProcessEnv = process.env): Place {
  const underNpm = env['npm_lifecycle_event'] === 'start' || env['npm_lifecycle_event'] === 'baton'
  const cwd = (underNpm && env['INIT_CWD']) || process.cwd()
  const state = resolve(cwd, options.state ?? '.baton')
  return { cwd, state, store: options.store ?? `sqlite:${join(state, 'baton.db')}` }
}

export function openRuntime(place: Place): Promise<Runtime> {
  return createRuntime({ store: place.store, stateFolder: place.state })
}

/** Opens the runtime for as long as the work takes. */
export async function withRuntime<T>(place: Place, work: (runtime: Runtime) => Promise<T>): Promise<T> {
  const runtime = await openRuntime(place)
  try {
    return await work(runtime)
  } finally {
    await runtime.close()
  }
}
