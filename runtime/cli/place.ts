/** Where a command works: the user's folder, and the state folder in it. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createRuntime } from '../compose.js'
import { parseJson } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { Runtime } from '../runtime.js'
import type { IdTokenIssuer } from '../tokens/id-token.js'
import { parseIdTokenIssuers } from '../tokens/id-token-issuers.js'

export interface Place {
  /** What relative paths are relative to. */
  readonly cwd: string
  /** `.baton` there, or what `--state` says. */
  readonly state: string
  readonly store: string
  /** Where the operator says whose ID tokens count. */
  readonly issuers: { readonly file: string; readonly optional: boolean }
}

export interface PlaceOptions {
  readonly state?: string
  readonly store?: string
  readonly issuers?: string
}

/**
 * Under `npm start` and `npm run baton` the process stands in the package's root; the user stood in INIT_CWD.
 */
export function placeOf(options: PlaceOptions, env: NodeJS.ProcessEnv = process.env): Place {
  const underNpm = env['npm_lifecycle_event'] === 'start' || env['npm_lifecycle_event'] === 'baton'
  const cwd = (underNpm && env['INIT_CWD']) || process.cwd()
  const state = resolve(cwd, options.state ?? '.baton')
  return {
    cwd,
    state,
    store: options.store ?? `sqlite:${join(state, 'baton.db')}`,
    issuers:
      options.issuers === undefined
        ? { file: join(state, 'issuers.json'), optional: true }
        : { file: resolve(cwd, options.issuers), optional: false },
  }
}

/** @throws AgenticError what `createRuntime` throws; ERR_INPUT_INVALID when the issuers cannot be read */
export function openRuntime(place: Place): Promise<Runtime> {
  return createRuntime({
    store: place.store,
    stateFolder: place.state,
    idTokenIssuers: issuersOf(place),
  })
}

function issuersOf({ issuers: { file, optional } }: Place): readonly IdTokenIssuer[] {
  if (optional && !existsSync(file)) return []
  let value: unknown
  try {
    value = parseJson(readFileSync(file))
  } catch (cause) {
    throw new AgenticError('ERR_INPUT_INVALID', 'trusted issuers: expected a file of strict JSON', { cause })
  }
  return parseIdTokenIssuers(value)
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
