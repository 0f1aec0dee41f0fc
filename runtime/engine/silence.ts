/**
 * Keeps state and prompts from leaving by the side: LangChain posts every run to a web service when
 * LANGSMITH_TRACING is in somebody's environment, and prints it when LANGCHAIN_VERBOSE is.
 */
import { BaseCallbackHandler } from '@langchain/core/callbacks/base'
import { AsyncLocalStorageProviderSingleton } from '@langchain/core/singletons'

/** Stands where a tracer or printer would: LangChain adds none when a handler of that name is there. */
class Silent extends BaseCallbackHandler {
  readonly name: string

  constructor(name: string) {
    super({
      ignoreLLM: true,
      ignoreChain: true,
      ignoreAgent: true,
      ignoreRetriever: true,
      ignoreCustomEvent: true,
    })
    this.name = name
  }

  override copy(): BaseCallbackHandler {
    return this
  }

  /** Asked of a tracer for what to hang child runs on; LangChain only adds to it, and needs an object. */
  getRunTreeWithTracingConfig(): object {
    return {}
  }

  updateFromRunTree(): void {}
}

/**
 * Callbacks to pass to every graph and model that the engine runs; what these start inherits them.
 * The printer's place is looked up by a name its class does not have before it is made.
 */
export function silentCallbacks(): BaseCallbackHandler[] {
  return ['langchain_tracer', 'console_callback_handler', undefined as unknown as string].map(
    (name) => new Silent(name),
  )
}

/** Runs something silently, and as if no outer LangGraph run were there to inherit from. */
export function silently<T>(run: () => Promise<T>): Promise<T> {
  return AsyncLocalStorageProviderSingleton.runWithConfig({ callbacks: silentCallbacks() }, run) as Promise<T>
}
