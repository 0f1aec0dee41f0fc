/** The workflows that come with the runtime, by the name that `baton run` takes. Loaded when asked for. */
import type { Program } from '../runtime/index.js'

export const catalogue: Readonly<Record<string, () => Promise<Program>>> = {
  'vulnerability-patching': async () => (await import('./vulnerability-patching.js')).vulnerabilityPatching,
}
