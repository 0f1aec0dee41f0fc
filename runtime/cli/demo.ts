/** `npm start`: the main job on a copy of the sample project, offline, approving by itself and saying so. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from './exit-code.js'
import { packageRoot } from './package-root.js'
import { placeOf } from './place.js'
import { runCommand, type Write } from './run.js'

export async function demoCommand(write: Write): Promise<number> {
  const sample = join(packageRoot(fileURLToPath(import.meta.url)), 'examples', 'vulnerable-shop')
  if (!existsSync(sample)) throw new UsageError('the sample project comes with the source checkout only')
  const { state } = placeOf({})
  const copy = join(state, 'demo', 'vulnerable-shop')
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(join(state, 'demo'), { recursive: true, mode: 0o700 })
  cpSync(sample, copy, { recursive: true })
  write(
    'Baton finds and patches the vulnerable dependencies of a sample project, without a model and offline.',
  )
  write(`It works on a copy in ${copy}; the sample stays as it is.`)
  write('This demonstration approves the plan by itself (--approve-all); "baton run" would ask you.\n')
  // The demonstration follows the checkout: after an update its agents are other agents.
  return runCommand(
    'vulnerability-patching',
    { input: [`repo=${copy}`], approveAll: true, acceptChanges: true, state },
    write,
  )
}
