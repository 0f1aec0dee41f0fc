/** What the engine needs from outside; `compose.ts` picks it. */
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { ActivationClientFactory } from '../client/activation-client.js'
import type { Clock } from '../clock.js'
import type { EventStore } from '../execution/events.js'
import type { ExecutionStore } from '../execution/store.js'
import type { LiveAgent } from '../identity/live-agent.js'
import type { Registration } from '../identity/registration.js'
import type { PublicJwk } from '../keys/public-jwk.js'
import type { SigningKey } from '../keys/signing-key.js'
import type { ExecutionAuthority } from './authority-port.js'
import type { CheckpointStore } from './checkpoint-port.js'
import type { Timers } from './model-call.js'
import type { ModelLimits } from './model-loop.js'

/** The agents of this process, and the keys they act with. */
export interface AgentDirectory {
  /** @throws AgenticError ERR_AGENT_UNKNOWN */
  agent(agentId: string): LiveAgent
  /** @throws AgenticError ERR_AGENT_UNKNOWN */
  registration(registrationId: string): Promise<Registration>
  /** A key of exactly this registration: the newest, or the one with this public half.
   * @throws AgenticError ERR_KEY_INVALID when this process has it not */
  keyOf(registration: Registration, jwk?: PublicJwk): SigningKey
}

export interface EngineDeps {
  readonly authority: ExecutionAuthority
  readonly agents: AgentDirectory
  readonly clients: ActivationClientFactory
  readonly checkpoints: CheckpointStore
  readonly events: EventStore
  /** For reading what a run has done so far. */
  readonly executions: Pick<ExecutionStore, 'snapshot'>
  readonly clock: Clock
  /** Drives every agent that has `task` and `conclude`; the others run by themselves. */
  readonly model?: { readonly chat: BaseChatModel; readonly limits?: Partial<ModelLimits> }
  readonly timers?: Timers
  /** Steps that may run at once; default 8. */
  readonly maxConcurrency?: number
}
