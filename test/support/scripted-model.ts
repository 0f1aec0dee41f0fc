import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage } from '@langchain/core/messages'
import type { ChatResult } from '@langchain/core/outputs'

/** What the model does when it is asked for the nth time: answers, throws, or never ends. */
export type Reply = AIMessage | Error | 'hang' | ((messages: readonly BaseMessage[]) => AIMessage)

/** A real LangChain chat model that says what a test wrote down, and remembers what it was asked. */
export class ScriptedModel extends BaseChatModel {
  readonly asked: (readonly BaseMessage[])[] = []
  readonly boundTools: Record<string, unknown>[] = []
  readonly #replies: readonly Reply[]

  /** @param replies the last one is repeated for ever */
  constructor(replies: readonly Reply[]) {
    super({})
    this.#replies = replies
  }

  _llmType(): string {
    return 'scripted'
  }

  override bindTools(tools: Record<string, unknown>[]) {
    this.boundTools.push(...tools)
    return this.withConfig({})
  }

  async _generate(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    _runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    const reply = this.#replies[Math.min(this.asked.length, this.#replies.length - 1)]
    this.asked.push([...messages])
    if (reply instanceof Error) throw reply
    if (reply === 'hang') {
      await new Promise((_, reject) =>
        options.signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
      )
    }
    const message = typeof reply === 'function' ? reply(messages) : reply
    if (!(message instanceof AIMessage)) throw new Error('nothing is scripted')
    return { generations: [{ message, text: '' }] }
  }
}

let calls = 0

/** An answer that asks for tool calls. */
export function asks(
  ...requests: readonly (readonly [name: string, args: Record<string, unknown>])[]
): AIMessage {
  return new AIMessage({
    content: '',
    tool_calls: requests.map(([name, args]) => {
      calls += 1
      return { name, args, id: `call_${calls}`, type: 'tool_call' as const }
    }),
  })
}

/** An answer without tool calls, which ends the loop. */
export function says(text: string): AIMessage {
  return new AIMessage(text)
}
