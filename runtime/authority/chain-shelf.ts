/** The chains handed out lately, by hash, for guards whose requests were too small to carry them. */

export interface ChainShelf {
  get(chainHash: string): readonly string[] | undefined
  set(chainHash: string, chain: readonly string[]): void
}

/** @param most the oldest are dropped beyond this many; a dropped chain makes a call fail, never pass */
export function createChainShelf(most = 10_000): ChainShelf {
  const chains = new Map<string, readonly string[]>()
  return {
    get: (chainHash) => chains.get(chainHash),
    set(chainHash, chain) {
      chains.delete(chainHash)
      chains.set(chainHash, chain)
      const oldest = chains.size > most ? chains.keys().next().value : undefined
      if (oldest !== undefined) chains.delete(oldest)
    },
  }
}
