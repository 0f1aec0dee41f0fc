/** Finds what is to be run: a built-in workflow by name, or a module by path. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { catalogue } from '../../workflows/catalogue.js'
import { AgenticError } from '../errors.js'
import type { Program } from '../program.js'

/**
 * @param reference a name of the catalogue, or a path to a `.js` or `.mjs` module that exports a program
 * @throws AgenticError ERR_WORKFLOW_UNKNOWN, ERR_WORKFLOW_INVALID
 */
export async function openProgram(reference: string, cwd: string): Promise<Program> {
  const builtIn = Object.hasOwn(catalogue, reference) ? catalogue[reference] : undefined
  if (builtIn) return builtIn()
  if (/\.m?js$/.test(reference)) return loadModule(resolve(cwd, reference), reference)
  const known = Object.keys(catalogue).join(', ')
  throw new AgenticError(
    'ERR_WORKFLOW_UNKNOWN',
    `there is no workflow "${reference}"; known are: ${known}, or the path of a module`,
  )
}

async function loadModule(path: string, reference: string): Promise<Program> {
  if (!existsSync(path)) throw new AgenticError('ERR_WORKFLOW_UNKNOWN', `there is no file "${reference}"`)
  const loaded = await importModule(path, reference)
  if (!loaded.workflow || !Array.isArray(loaded.agents)) {
    throw new AgenticError('ERR_WORKFLOW_INVALID', `"${reference}" must export "workflow" and "agents"`)
  }
  return loaded as Program
}

/** A module runs its own code while it loads; what that throws is told in one line. */
async function importModule(path: string, reference: string): Promise<Partial<Program>> {
  try {
    return (await import(pathToFileURL(path).href)) as Partial<Program>
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : 'it threw what is no error'
    throw new AgenticError('ERR_WORKFLOW_INVALID', `"${reference}" cannot be loaded: ${why}`, { cause })
  }
}
