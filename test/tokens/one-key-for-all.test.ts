/**
 * X8 at its worst: authority, engine, agent and approver share one key, and one claims set satisfies every
 * verifier. Then `typ` alone tells a kind of token from another, in every ordered pair.
 */
import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import { decodeJws } from '../../runtime/encoding/compact-jws.js'
import { digestOf, sha256Base64url } from '../../runtime/encoding/digest.js'
import { codeOf } from '../../runtime/errors.js'
import { verifyApproval } from '../../runtime/execution/approval.js'
import { receiptHash, verifyReceipt } from '../../runtime/execution/receipt.js'
import { signKeyProof, verifyKeyProof } from '../../runtime/keys/key-proof.js'
import { verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { verifyInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { attack } from '../support/attack.js'
import { approvalRow, receiptRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const key = fixedKey('one key')
const { jwk, thumbprint } = key.publicKey
const accessToken = 'header.claims.signature'
const approval = approvalRow({ argsDigest: digestOf({ path: 'package.json' }) })
const receipt = receiptRow({ checkpoint: approval.checkpoint, activationId: approval.activationId })

const minted = mintIntentToken(intentClaims({ cnf: { jkt: thumbprint, jwk } }), key, { clock })
const everything = {
  ...claimsOf(minted.token),
  // delegation+jwt, as a root
  ...{ del_depth: 0, del_max_depth: 3, initiated_by: 'os:1000', auth: { method: 'local', time: now } },
  // dpop+jwt and pop+jwt
  ...{ htm: 'POST', htu: audience, ath: sha256Base64url(accessToken) },
  ...{ aat_id: 'leaf-1', aat_tool: 'repo/write', aat_aud: audience, hta: { path: 'package.json' } },
  // receipt+jwt and approval+jwt
  ...{ execution_id: receipt.executionId, activation_id: receipt.activationId, step: receipt.step },
  ...{ iteration: 0, item: 0, checkpoint: approval.checkpoint, id: approval.approvalId },
  ...{ tool: approval.tool, args_digest: approval.argsDigest, decision: 'approved' },
}

/** What each kind is verified by, down to its last check. */
const verifiers: Record<string, (token: string) => unknown> = {
  'at+jwt': (token) =>
    verifyIntentToken(token, { issuer, audience, trustedKeys: [key.publicKey], now, keyring }),
  'delegation+jwt': (token) => verifyChain([token], { issuer, trustedKeys: [key.publicKey], now, keyring }),
  'dpop+jwt': (token) =>
    verifyDpopProof(token, {
      ...{ method: 'POST', url: audience, accessToken, key: key.publicKey },
      ...{ now, keyring, singleUse: rememberingSingleUse() },
    }),
  'pop+jwt': (token) =>
    verifyInvocationProof(token, {
      ...{ leafId: 'leaf-1', tool: 'repo/write', audience, args: { path: 'package.json' }, accessToken },
      ...{ key: key.publicKey, now, singleUse: rememberingSingleUse() },
    }),
  'receipt+jwt': (token) =>
    verifyReceipt({ ...receipt, jws: token, receiptHash: receiptHash(token) }, key.publicKey),
  'approval+jwt': (token) => verifyApproval({ ...approval, jws: token }, [key.publicKey], clock.nowMs()),
  // Nothing issues or reads revocation lists yet: until then only the gate stands for their verifier.
  'revocation+jwt': (token) => decodeJws(token, { typ: 'revocation+jwt' }),
}
const kinds = Object.keys(verifiers)

/** A token of a kind with everything in its claims; its header has what is given besides. */
function tokenOf(typ: string, withKey: boolean): string {
  return forge({ typ, ...(withKey ? { jwk } : { kid: thumbprint }) }, everything, key)
}

/** The code of a refusal, or of what a verifier wrapped in a code of its own. */
async function reasonOf(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'accepted'
  } catch (error) {
    return codeOf((error as Error).cause) ?? codeOf(error) ?? String(error)
  }
}

describe('one key and one claims set for every kind of token', () => {
  for (const wanted of kinds) {
    const verify = verifiers[wanted] as (token: string) => unknown
    for (const given of kinds) {
      if (given === wanted) {
        it(`${wanted} is accepted as ${wanted}`, async () => {
          expect(await reasonOf(() => verify(tokenOf(wanted, wanted === 'dpop+jwt')))).toBe('accepted')
        })
        continue
      }
      attack(['T2', 'X8'], `${given} is refused as ${wanted}`, async () => {
        // As such a token is made; and with the header members that the other kind has, so that only `typ` differs.
        const made = await reasonOf(() => verify(tokenOf(given, given === 'dpop+jwt')))
        const header = given === 'dpop+jwt' ? 'ERR_HEADER_REFUSED' : 'ERR_TYP_MISMATCH'
        expect(made).toBe(header)
        const dressed = await reasonOf(() => verify(tokenOf(given, wanted === 'dpop+jwt')))
        expect(dressed).toBe('ERR_TYP_MISMATCH')
      })
    }
  }

  attack('X8', 'the two proofs of type pop+jwt are told apart by their claims', async () => {
    const subject = {
      ...{ issuer, agentId: 'scanner', agentChecksum: `sha256:${'3'.repeat(64)}`, epoch: 0 },
      key: key.publicKey,
    }
    const keyProof = signKeyProof(subject, key, { clock })
    const invocation = tokenOf('pop+jwt', false)
    expect(await reasonOf(() => verifiers['pop+jwt']?.(keyProof))).toBe('ERR_CLAIM_INVALID')
    await expectCode(() => verifyKeyProof(invocation, { ...subject, now }), 'ERR_CLAIM_INVALID')
    expect(verifyKeyProof(keyProof, { ...subject, now }).jti).toBe(claimsOf(keyProof)['jti'])
    expect(await reasonOf(() => verifiers['pop+jwt']?.(invocation))).toBe('accepted')
  })
})
