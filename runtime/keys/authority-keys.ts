/** The keys of one authority as they follow each other: which signs now, which verify, what is published. */
import { type Clock, nowSeconds } from '../clock.js'
import { exportJwkSet, type JwkSet } from './jwk-set.js'
import type { PublicKey } from './public-key.js'
import {
  checkSchedule,
  type KeyEpoch,
  type KeyUse,
  publishedEpochs,
  signingEpoch,
  verifyingEpochs,
} from './rotation.js'
import type { SigningKey } from './signing-key.js'

/** Each call answers for the second it is made in: ask anew for every token, keep nothing. */
export interface AuthorityKeys {
  signingKey(): SigningKey
  /** @returns the keys whose signatures on this kind of token are believed, the newest first */
  trustedKeys(use: KeyUse): readonly PublicKey[]
  /** @returns what is published at `/jwks.json`, with `max-age` at most `jwkSetMaxAgeSeconds` */
  jwkSet(): JwkSet
}

export interface AuthorityKeysOptions {
  readonly epochs: readonly KeyEpoch[]
  /** The key of an epoch: always the same one. */
  readonly keyAt: (epoch: KeyEpoch) => SigningKey
  readonly clock: Clock
}

/** @throws TypeError for a schedule that `checkSchedule` refuses, or that has not begun */
export function createAuthorityKeys({ epochs, keyAt, clock }: AuthorityKeysOptions): AuthorityKeys {
  const schedule = checkSchedule(epochs)
  signingEpoch(schedule, nowSeconds(clock)) // now, not when the first token is wanted
  const made = new Map<number, SigningKey>()
  /** A key is derived once: it is the same each time, and takes half a millisecond. */
  const keyOf = (epoch: KeyEpoch): SigningKey => {
    const key = made.get(epoch.epoch) ?? keyAt(epoch)
    made.set(epoch.epoch, key)
    return key
  }
  const publicKeyOf = (epoch: KeyEpoch) => keyOf(epoch).publicKey
  return Object.freeze<AuthorityKeys>({
    signingKey: () => keyOf(signingEpoch(schedule, nowSeconds(clock))),
    trustedKeys: (use) => verifyingEpochs(schedule, use, nowSeconds(clock)).map(publicKeyOf),
    jwkSet: () => exportJwkSet(publishedEpochs(schedule, nowSeconds(clock)).map(publicKeyOf)),
  })
}
