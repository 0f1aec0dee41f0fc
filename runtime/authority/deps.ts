/** What the authority is made of. Everything that varies comes in here. */
import type { Journal } from '../audit/journal.js'
import type { Clock } from '../clock.js'
import type { LinkCache } from '../delegation/verified-links.js'
import type { ReceiptFacts } from '../execution/receipt.js'
import type { ReceiptRow } from '../execution/records.js'
import type { ExecutionStore } from '../execution/store.js'
import type { RegistrationStore } from '../identity/registration.js'
import type { AuthorityKeys } from '../keys/authority-keys.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SingleUse } from '../tokens/single-use.js'

export interface AuthorityDeps {
  /** This authority's identifier: an absolute URI (RFC 8414). */
  readonly issuer: string
  /** Its own keys: it signs with one, and believes what others of them signed before. */
  readonly keys: AuthorityKeys
  readonly keyring: Keyring
  /** The engine's registered key: receipts are believed under it alone. */
  readonly engineKey: PublicKey
  /** The engine signs its receipts; the authority only checks them. */
  readonly signReceipt: (facts: ReceiptFacts) => ReceiptRow
  readonly executions: ExecutionStore
  readonly registrations: RegistrationStore
  readonly singleUse: SingleUse
  readonly journal: Journal
  readonly links: LinkCache
  /** Audiences tokens may be minted for: the guarded resources of this runtime. */
  readonly audiences: () => readonly string[]
  readonly clock: Clock
  /** `client_id` in tokens: the runtime that asks on behalf of its agents. */
  readonly clientId: string
  /** Cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array
}
