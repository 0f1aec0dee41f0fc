import type { AgentContext } from '../../runtime/identity/agent.js'
import { toyAgent, toyWorkflow } from './toy-workflow.js'

/** a → b → c, one after the other; `a` delegates to both of the others. */
export const chain = toyWorkflow([
  { id: 'a', agent: 'a' },
  { id: 'b', agent: 'b', after: ['a'] },
  { id: 'c', agent: 'c', after: ['b'], delegatedBy: 'a' },
])

/** What an agent does that calls its own tool once, with its name. */
export const say = (text: string) => (context: AgentContext) => context.tool(`${text}/echo`)({ text })

/** The agents of the chain: two that call a tool, and one that returns its input. */
export const three = () => [
  toyAgent('a', say('a')),
  toyAgent('b', say('b')),
  toyAgent('c', (_, input) => input),
]
