/** `baton agents` and `baton register`: who is registered here, and accepting a changed agent. */
import { exitCodes } from './exit-code.js'
import { type PlaceOptions, placeOf, withRuntime } from './place.js'
import { openProgram } from './programs.js'
import type { Write } from './run.js'
import { table } from './table.js'

export interface AgentsFlags extends PlaceOptions {
  readonly json?: boolean
}

export async function agentsCommand(flags: AgentsFlags, write: Write): Promise<number> {
  return withRuntime(placeOf(flags), async (runtime) => {
    const registrations = await runtime.agents()
    if (flags.json) {
      write(JSON.stringify(registrations))
      return exitCodes.done
    }
    if (registrations.length === 0) write('no agents registered yet')
    else {
      const rows = registrations.map((registration) => [
        registration.agentId,
        registration.version,
        registration.status,
        registration.agentChecksum.slice(0, 'sha256:'.length + 16),
        registration.keys.at(-1)?.mode ?? '',
        registration.scopes.join(' '),
      ])
      write(table([['agent', 'version', 'status', 'checksum', 'key', 'scopes'], ...rows]))
    }
    return exitCodes.done
  })
}

/** The operator's word that an agent of a program is what it is now. */
export async function registerCommand(reference: string, flags: AgentsFlags, write: Write): Promise<number> {
  const place = placeOf(flags)
  const program = await openProgram(reference, place.cwd)
  return withRuntime(place, async (runtime) => {
    const reports = await runtime.register({ agents: program.agents, acceptChanges: true })
    if (flags.json) {
      const rows = reports.map(({ agent, outcome, registration }) => ({
        agent,
        outcome,
        version: registration.version,
        agent_checksum: registration.agentChecksum,
      }))
      write(JSON.stringify(rows))
    } else {
      for (const { agent, outcome, registration } of reports) {
        write(`${agent}: ${outcome}, version ${registration.version}, ${registration.agentChecksum}`)
      }
    }
    return exitCodes.done
  })
}
