import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { openStore, type Store } from '../../runtime/store/open-store.js'
import { type FakeClock, fakeClock } from './fake-clock.js'

const cleanups: (() => unknown)[] = []

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-store-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store that is closed after the test. */
export async function temporaryStore(url: string, clock: FakeClock = fakeClock()): Promise<Store> {
  const store = await openStore(url, { clock })
  cleanups.push(() => store.close())
  return store
}

/** Every adapter: a suite of a port runs on each. `url` names a new, empty store at each call. */
export const adapters: readonly { readonly name: string; url(): string }[] = [
  { name: 'memory', url: () => 'memory:' },
  { name: 'sqlite', url: () => `sqlite:${join(temporaryFolder(), 'baton.db')}` },
]

afterEach(async () => {
  // Last made, first gone: a store before the folder it lies in.
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
