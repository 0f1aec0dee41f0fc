/** The parts of one runtime, picked and put together once: store, keys, log, authority, guard. */
import { dirname, join } from 'node:path'
import { fileAuditStorage } from './audit/file-storage.js'
import { createJournal } from './audit/journal.js'
import { type AuditLog, openAuditLog } from './audit/log.js'
import { memoryAuditStorage } from './audit/memory-storage.js'
import { type Authority, createAuthority } from './authority/authority.js'
import { requireStanding, requireStandingHops } from './authority/standing.js'
import { type Clock, systemClock } from './clock.js'
import { createLinkCache } from './delegation/verified-links.js'
import { randomBytes } from './encoding/random.js'
import { AgenticError } from './errors.js'
import { createEventFeed, type EventFeed } from './execution/event-feed.js'
import { signReceipt } from './execution/receipt.js'
import type { GuardDeps } from './guard/deps.js'
import { type AuthorityKeys, createAuthorityKeys } from './keys/authority-keys.js'
import { deriveEs256Key, deriveKey, type KeyDerivation } from './keys/derive.js'
import { createKeyring, type Keyring } from './keys/keyring.js'
import { loadMasterSecret, type MasterSecret, masterSecretFrom } from './keys/master-secret.js'
import type { MasterSecretSource } from './keys/master-secret-source.js'
import type { Ed25519PublicKey, KeyAlgorithm } from './keys/public-key.js'
import type { KeyEpoch } from './keys/rotation.js'
import type { SigningKey } from './keys/signing-key.js'
import { openStore, type Store } from './store/open-store.js'
import type { IdTokenIssuer } from './tokens/id-token.js'

export interface RuntimeOptions {
  /** `memory:` (default) or `sqlite:PATH`. */
  readonly store?: string
  /** Where the master secret and the audit log are kept; default: the folder of the store's file. */
  readonly stateFolder?: string
  /** From which every key of this runtime is derived: 32 bytes, or who has them (a KMS). Default: what the variable
   * BATON_MASTER_SECRET holds, 32 bytes in base64url; else the file `master.key` in the state folder. */
  readonly masterSecret?: Uint8Array | MasterSecretSource
  /** Whether to refuse to start when there is none, instead of making one; default: when NODE_ENV is production. */
  readonly masterSecretRequired?: boolean
  /** This authority's identifier, an absolute URI. */
  readonly issuer?: string
  /** Issuers whose ID tokens prove who starts a run; default: none. */
  readonly idTokenIssuers?: readonly IdTokenIssuer[]
  /** What the authority signs with, for resource servers that know no Ed25519; default Ed25519. Agents' keys are
   * Ed25519 always. */
  readonly authorityAlgorithm?: KeyAlgorithm
  /** When the authority's key changes. Each process that is given the same epochs and the same master secret has the
   * same keys; an epoch is added at least 330 seconds before it signs, so that no cache misses it. Default: one
   * epoch, for ever. */
  readonly authorityKeyEpochs?: readonly KeyEpoch[]
  readonly clock?: Clock
  /** Used for calls to resources. */
  readonly fetch?: typeof fetch
  /** Ed25519 implementation; default: the fastest that is there. */
  readonly ed25519?: 'sodium' | 'node' | 'noble'
}

export interface Parts {
  readonly issuer: string
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly keyring: Keyring
  readonly store: Store
  readonly audit: AuditLog
  readonly events: EventFeed
  readonly authority: Authority
  readonly authorityKeys: AuthorityKeys
  readonly guard: GuardDeps
  /** The key that an agent of this runtime acts with. */
  agentKey(agentId: string, agentChecksum: string, epoch: number): SigningKey
  /** Resources being served now; tokens are minted for these and the tool server alone. */
  readonly audiences: Set<string>
  close(): Promise<void>
}

/** The client that this runtime is towards its authority: it owns the agents it registers. */
export const runtimeClientId = 'baton-runtime'

const defaultIssuer = 'https://baton.localhost'

export async function assemble(options: RuntimeOptions): Promise<Parts> {
  const clock = options.clock ?? systemClock
  const issuer = options.issuer ?? defaultIssuer
  const url = options.store ?? 'memory:'
  const folder =
    options.stateFolder ?? (url.startsWith('sqlite:') ? dirname(url.slice('sqlite:'.length)) : undefined)
  const store = await openStore(url, { clock })
  try {
    const keyring = createKeyring(options.ed25519 === undefined ? {} : { backend: options.ed25519 })
    const master = await masterSecretOf(options, folder)
    const info = (purpose: string, id = '-', checksum = '-', epoch = 0): KeyDerivation => ({
      purpose,
      iss: issuer,
      agent_id: id,
      agent_checksum: checksum,
      epoch,
    })
    const key = (...of: Parameters<typeof info>) => deriveKey(master, info(...of), keyring)
    const authorityKeys = createAuthorityKeys({
      epochs: authorityEpochs(options),
      keyAt({ epoch, algorithm }) {
        const derive = algorithm === 'ES256' ? deriveEs256Key : deriveKey
        return derive(master, info('authority', '-', '-', epoch), keyring)
      },
      clock,
    })
    const audit = await openAuditLog({
      storage: folder === undefined ? memoryAuditStorage() : fileAuditStorage(join(folder, 'audit')),
      origin: issuer.replace(/^https?:\/\//, ''),
      key: key('audit'),
      clock,
    })
    return connect({ options, clock, issuer, store, keyring, audit, key, authorityKeys })
  } catch (error) {
    await store.close()
    throw error
  }
}

/** In memory and without a given secret nothing outlives the process, keys neither. */
async function masterSecretOf(options: RuntimeOptions, folder: string | undefined): Promise<MasterSecret> {
  const { masterSecret, masterSecretRequired = false } = options
  if (masterSecret instanceof Uint8Array) return masterSecretFrom(masterSecret)
  if (masterSecret) return masterSecret.load()
  if (folder !== undefined)
    return loadMasterSecret(join(folder, 'master.key'), { create: !masterSecretRequired })
  if (masterSecretRequired)
    throw new AgenticError('ERR_MASTER_SECRET_MISSING', 'master secret: none is given, and one is required')
  return masterSecretFrom(randomBytes(32))
}

function authorityEpochs({
  authorityAlgorithm: algorithm = 'Ed25519',
  authorityKeyEpochs = [{ epoch: 0, from: 0 }],
}: RuntimeOptions): readonly KeyEpoch[] {
  return authorityKeyEpochs.map((epoch) => ({ algorithm, ...epoch }))
}

interface Found {
  readonly options: RuntimeOptions
  readonly clock: Clock
  readonly issuer: string
  readonly store: Store
  readonly keyring: Keyring
  readonly audit: AuditLog
  readonly key: (
    purpose: string,
    id?: string,
    checksum?: string,
    epoch?: number,
  ) => SigningKey<Ed25519PublicKey>
  readonly authorityKeys: AuthorityKeys
}

function connect(found: Found): Parts {
  const { options, clock, issuer, store, keyring, audit, key, authorityKeys } = found
  const engineKey = key('engine')
  const journal = createJournal({ audit, salts: store.salts })
  const links = createLinkCache()
  const audiences = new Set<string>()
  const authority = createAuthority({
    issuer,
    keys: authorityKeys,
    keyring,
    engineKey: engineKey.publicKey,
    signReceipt: (facts) => signReceipt(facts, engineKey),
    executions: store.executions,
    registrations: store.registrations,
    singleUse: store.singleUse,
    journal,
    links,
    audiences: () => [...audiences],
    clock,
    clientId: runtimeClientId,
    random: randomBytes,
  })
  const guard: GuardDeps = {
    issuer,
    trustedKeys: authorityKeys.trustedKeys,
    keyring,
    singleUse: store.singleUse,
    requireStanding: ({ intent, sub, agentProof, jti }) =>
      requireStanding(
        {
          executionId: intent.executionId,
          activationId: intent.activationId,
          step: intent.workflowStep,
          epoch: intent.epoch,
          agentId: sub,
          registrationId: agentProof.registrationId,
          jti,
        },
        { ...store, clock },
      ),
    requireStandingHops: ({ hops }) => requireStandingHops(hops, { ...store, clock }),
    fetchChain: (chainHash) => authority.chain(chainHash),
    journal,
    links,
    clock,
  }
  return {
    issuer,
    clock,
    fetch: options.fetch ?? fetch,
    keyring,
    store,
    audit,
    events: createEventFeed(store.events),
    authority,
    authorityKeys,
    guard,
    agentKey: (agentId, agentChecksum, epoch) => key('agent', agentId, agentChecksum, epoch),
    audiences,
    async close() {
      await audit.close()
      await store.close()
    },
  }
}
