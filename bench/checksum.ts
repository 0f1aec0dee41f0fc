/** Verifying an agent of eight tools again before each step: unchanged, and computed from nothing. */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { agentChecksum } from '../runtime/identity/checksum.js'
import { defineTool } from '../runtime/identity/define.js'
import { freezeAgent } from '../runtime/identity/live-agent.js'
import { measure, printRatios } from './measure.js'

// Any module graph with files and packages in it will do; this one is at hand.
const module = new URL('./main.js', import.meta.url).href

export async function benchChecksum(): Promise<void> {
  const tools = Array.from({ length: 8 }, (_, index) =>
    defineTool({
      name: `repository/tool-${index}`,
      description: 'Reads one file of the repository and says what is in it.',
      parameters: z.object({
        path: z.string().describe('relative to the root'),
        lines: z.array(z.number().int()).max(100),
        mode: z.enum(['text', 'binary']),
      }),
      scope: 'repo:read',
      run: () => null,
    }),
  )
  const definition = {
    id: 'reader',
    prompt: 'You read files of a repository and report what you find.\n'.repeat(20),
    tools,
    scopes: ['repo:read'],
    configuration: { model_name: 'scripted', temperature: 0 },
    run: () => null,
  }
  const plain = await freezeAgent(definition)
  const deep = await freezeAgent({ ...definition, module })
  const manifest = plain.manifest()

  printRatios(
    `Checksum of an agent with eight tools (deep: the module graph of ${fileURLToPath(module).split('/').at(-1)})`,
    await measure(
      [
        { name: 'computed from the manifest', run: () => agentChecksum(manifest) },
        { name: 'before a step, shallow', run: () => plain.checksum() },
        { name: 'before a step, deep (every file is looked at)', run: () => deep.checksum() },
      ],
      { turns: 9, perTurn: 100, warmUp: 100 },
    ),
  )
}
