import { AgenticError } from '../../runtime/errors.js'
import type { SingleUse } from '../../runtime/tokens/single-use.js'

/** Remembers for ever; `claimed` shows what was asked. */
export function rememberingSingleUse(): SingleUse & { readonly claimed: Map<string, number> } {
  const claimed = new Map<string, number>()
  return {
    claimed,
    async claim(key, expiresAt) {
      if (claimed.has(key)) return false
      claimed.set(key, expiresAt)
      return true
    },
  }
}

/** A replay store that cannot tell. */
export const failingSingleUse: SingleUse = {
  async claim() {
    throw new AgenticError('ERR_REPLAY_STORE', 'the store is full')
  },
}
