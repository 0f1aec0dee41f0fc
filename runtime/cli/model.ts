/** Opens the chat model that `--model provider:name` asks for. Providers are packages the user installs. */
import { AgenticError } from '../errors.js'
import type { ChatModel } from '../runtime.js'

type Constructor = new (options: Record<string, unknown>) => unknown

const providers: Readonly<Record<string, { readonly module: string; readonly export: string }>> = {
  openai: { module: '@langchain/openai', export: 'ChatOpenAI' },
  anthropic: { module: '@langchain/anthropic', export: 'ChatAnthropic' },
  ollama: { module: '@langchain/ollama', export: 'ChatOllama' },
  mistralai: { module: '@langchain/mistralai', export: 'ChatMistralAI' },
  'google-genai': { module: '@langchain/google-genai', export: 'ChatGoogleGenerativeAI' },
}

/**
 * @param reference `provider:name`; for `openai` any compatible server works through OPENAI_BASE_URL
 * @param env OPENAI_API_KEY and OPENAI_BASE_URL; other providers read their keys from the process themselves
 * @throws AgenticError ERR_MODEL_UNAVAILABLE
 */
export async function openModel(reference: string, env: NodeJS.ProcessEnv = process.env): Promise<ChatModel> {
  const at = reference.indexOf(':')
  const provider = reference.slice(0, at)
  const name = reference.slice(at + 1)
  const known = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  if (!known || name === '') {
    const list = Object.keys(providers).join(', ')
    throw new AgenticError(
      'ERR_MODEL_UNAVAILABLE',
      `a model is written provider:name, with a provider of: ${list}`,
    )
  }
  const Model = await constructorOf(known)
  const baseUrl = env['OPENAI_BASE_URL']
  // The model loop retries by itself, within its bounds; the client must not multiply that.
  const options: Record<string, unknown> = { model: name, maxRetries: 0 }
  if (provider === 'openai') {
    // Its client looks for the key at the first question, which is in the middle of a run.
    options['apiKey'] = requireKey(env['OPENAI_API_KEY'])
    if (baseUrl) options['configuration'] = { baseURL: baseUrl }
  }
  try {
    return { name: reference, chat: new Model(options) }
  } catch {
    // The provider's message may quote a key.
    throw new AgenticError(
      'ERR_MODEL_UNAVAILABLE',
      `the model of "${provider}" could not be set up; is its API key set?`,
    )
  }
}

/** @throws AgenticError ERR_MODEL_UNAVAILABLE */
function requireKey(key: string | undefined): string {
  if (key) return key
  throw new AgenticError(
    'ERR_MODEL_UNAVAILABLE',
    'OPENAI_API_KEY is not set; a server that needs no API key takes any text',
  )
}

async function constructorOf(provider: {
  readonly module: string
  readonly export: string
}): Promise<Constructor> {
  let loaded: Record<string, unknown>
  try {
    loaded = (await import(provider.module)) as Record<string, unknown>
  } catch (cause) {
    throw new AgenticError(
      'ERR_MODEL_UNAVAILABLE',
      `install the package ${provider.module} to use this provider`,
      { cause },
    )
  }
  return loaded[provider.export] as Constructor
}
