/** Who asked for a run, and how that was established (PROTOCOL 5.1): what the root assertion will say. */
import { type Clock, nowSeconds } from '../clock.js'
import { AgenticError } from '../errors.js'
import type { Initiator } from '../execution/records.js'
import type { Keyring } from '../keys/keyring.js'
import { type IdTokenIssuer, verifyIdToken } from '../tokens/id-token.js'

/** The user of this machine. Nothing is proven: whoever may start the process may say so.
 * @param user of the process; `uid` is -1 where users have no number */
export function localInitiator(
  user: { readonly uid: number; readonly username: string },
  clock: Clock,
): Initiator {
  return {
    initiatedBy: `os:${user.uid >= 0 ? user.uid : user.username}`,
    auth: { method: 'local', time: nowSeconds(clock) },
  }
}

/** The person an ID token names, as `<issuer>#<sub>`: a subject is unique at its issuer only.
 * @throws AgenticError ERR_TOKEN_ISSUER when no issuer is trusted, and what `verifyIdToken` throws */
export async function initiatorOf(
  idToken: string,
  deps: { readonly issuers: readonly IdTokenIssuer[]; readonly keyring: Keyring; readonly clock: Clock },
): Promise<Initiator> {
  if (deps.issuers.length === 0) {
    throw new AgenticError('ERR_TOKEN_ISSUER', 'no issuer of ID tokens is trusted here')
  }
  const now = nowSeconds(deps.clock)
  const { issuer, subject, authenticatedAt } = await verifyIdToken(idToken, deps.issuers, now, deps.keyring)
  return { initiatedBy: `${issuer}#${subject}`, auth: { method: 'id_token', time: authenticatedAt } }
}
