/** `baton graph`: a workflow as Mermaid text, or as an SVG of our own making. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { workflowMermaid } from '../workflow/mermaid.js'
import { workflowSvg } from '../workflow/svg.js'
import { loadWorkflow } from '../workflow/yaml.js'
import { exitCodes } from './exit-code.js'
import { placeOf } from './place.js'
import { openProgram } from './programs.js'
import type { Write } from './run.js'

export interface GraphFlags {
  readonly svg?: string | boolean
}

export async function graphCommand(reference: string, flags: GraphFlags, write: Write): Promise<number> {
  const { cwd } = placeOf({})
  const workflow = /\.ya?ml$/.test(reference)
    ? loadWorkflow(resolve(cwd, reference))
    : (await openProgram(reference, cwd)).workflow
  if (typeof flags.svg === 'string') {
    writeFileSync(resolve(cwd, flags.svg), workflowSvg(workflow))
    write(`written: ${flags.svg}`)
  } else {
    write(flags.svg ? workflowSvg(workflow) : workflowMermaid(workflow))
  }
  return exitCodes.done
}
