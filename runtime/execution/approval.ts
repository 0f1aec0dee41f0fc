/**
 * Approvals bind what is done: tool, arguments, activation, approver; each is good once (PROTOCOL 11).
 * The decision is an `approval+jwt`, so that an edited row of the store opens nothing.
 */
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { digestOf } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import { signJws, verifyDecoded } from '../keys/jws.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { requireLease, requireOpen } from './lease.js'
import type { ActivationRow, ApprovalRow } from './records.js'
import type { Decision, ExecutionSnapshot } from './store.js'

/** How long a decision may wait to be used, in seconds. */
export const approvalSeconds = 3600

export interface ApprovalQuestion {
  readonly gate: ActivationRow
  readonly opened: ActivationRow
  readonly tool: string
  readonly args: JsonObject
  readonly newId: string
  readonly nowMs: number
}

/** Asks once: the same gate activation, tool and arguments get the approval that exists. */
export function askApproval(snapshot: ExecutionSnapshot, question: ApprovalQuestion): Decision<ApprovalRow> {
  requireLease(snapshot.execution, question.gate.epoch)
  const argsDigest = digestOf(question.args)
  const asked = snapshot.approvals.find(
    (row) =>
      row.gateActivationId === question.gate.activationId &&
      row.activationId === question.opened.activationId &&
      row.tool === question.tool &&
      row.argsDigest === argsDigest,
  )
  if (asked) return { changes: [], result: asked }
  const row: ApprovalRow = {
    approvalId: question.newId,
    executionId: snapshot.execution.executionId,
    gate: question.gate.step,
    gateActivationId: question.gate.activationId,
    opens: question.opened.step,
    activationId: question.opened.activationId,
    tool: question.tool,
    args: question.args,
    argsDigest,
    checkpoint: question.gate.checkpoint,
    state: 'pending',
    requestedAt: question.nowMs,
  }
  return { changes: [{ kind: 'approval', row }], result: row }
}

export interface ApprovalAnswer {
  readonly decision: 'approved' | 'denied'
  /** Who decided, e.g. `os:1000`, and how that was established. */
  readonly approver: string
  readonly auth: { readonly method: string; readonly time: number }
  readonly reason?: string
}

/**
 * Signs a decision over a pending question.
 * @throws AgenticError ERR_APPROVAL_USED when it was decided before, ERR_EXECUTION_ENDED
 */
export function answerApproval(
  snapshot: ExecutionSnapshot,
  request: {
    readonly approvalId: string
    readonly answer: ApprovalAnswer
    readonly authorityKey: SigningKey
    readonly nowMs: number
  },
): Decision<ApprovalRow> {
  requireOpen(snapshot.execution)
  const pending = findApproval(snapshot, request.approvalId)
  if (pending.state !== 'pending') {
    throw new AgenticError('ERR_APPROVAL_USED', `this approval was ${pending.state} before`)
  }
  const iat = Math.floor(request.nowMs / 1000)
  const { answer } = request
  const jws = signJws(
    { typ: 'approval+jwt', kid: request.authorityKey.publicKey.thumbprint },
    {
      ...boundClaims(pending),
      decision: answer.decision,
      approver: answer.approver,
      auth: { ...answer.auth },
      ...(answer.reason !== undefined && { reason: answer.reason }),
      iat,
      exp: iat + approvalSeconds,
    },
    request.authorityKey,
  )
  const row: ApprovalRow = { ...pending, state: answer.decision, jws, decidedAt: request.nowMs }
  return { changes: [{ kind: 'approval', row }], result: row }
}

/** What an approval is about, as it is signed. */
function boundClaims(row: ApprovalRow): JsonObject {
  return {
    id: row.approvalId,
    execution_id: row.executionId,
    activation_id: row.activationId,
    tool: row.tool,
    args_digest: row.argsDigest,
    checkpoint: row.checkpoint,
  }
}

/**
 * Finds the approval that opens a tool for this activation and spends it. To be used in the transaction that mints.
 * @throws AgenticError ERR_APPROVAL_REQUIRED, ERR_APPROVAL_DENIED, ERR_APPROVAL_USED, ERR_APPROVAL_INVALID, ERR_APPROVAL_EXPIRED
 */
export function consumeApproval(
  snapshot: ExecutionSnapshot,
  request: {
    readonly activation: ActivationRow
    readonly tool: string
    /** Those of the authority that a decision may be signed with. */
    readonly authorityKeys: readonly PublicKey[]
    readonly nowMs: number
  },
): Decision<ApprovalRow> {
  const candidates = snapshot.approvals.filter(
    (row) => row.activationId === request.activation.activationId && row.tool === request.tool,
  )
  // A later question voids the answer to an earlier one: the arguments, or the gate's attempt, have changed.
  const latest = candidates.at(-1)
  if (latest?.state !== 'approved') throw missingApproval(latest, request.tool)
  verifyApproval(latest, request.authorityKeys, request.nowMs)
  const row: ApprovalRow = { ...latest, state: 'consumed' }
  return { changes: [{ kind: 'approval', row }], result: row }
}

function missingApproval(latest: ApprovalRow | undefined, tool: string): AgenticError {
  if (latest?.state === 'consumed') {
    return new AgenticError('ERR_APPROVAL_USED', `the approval for "${tool}" has been used`)
  }
  if (latest?.state === 'denied') {
    return new AgenticError('ERR_APPROVAL_DENIED', `"${tool}" was denied`)
  }
  return new AgenticError('ERR_APPROVAL_REQUIRED', `"${tool}" needs an approval for exactly this activation`)
}

/**
 * Believes a stored decision only if the authority signed it for exactly this question, in time.
 * @throws AgenticError ERR_APPROVAL_INVALID, ERR_APPROVAL_EXPIRED
 */
export function verifyApproval(row: ApprovalRow, authorityKeys: readonly PublicKey[], nowMs: number): void {
  let claims: JsonObject
  try {
    const decoded = decodeJws(row.jws ?? '', { typ: 'approval+jwt' })
    const key = authorityKeys.find(({ thumbprint }) => thumbprint === decoded.header.kid)
    if (!key) throw new AgenticError('ERR_SIGNATURE_INVALID', 'the signer is none of the authority’s keys')
    verifyDecoded(decoded, key)
    claims = decoded.claims
  } catch (cause) {
    throw new AgenticError('ERR_APPROVAL_INVALID', 'the approval is not signed by the authority', { cause })
  }
  const bound = boundClaims(row)
  const signed = Object.fromEntries(Object.keys(bound).map((name) => [name, claims[name] ?? null]))
  // Arguments and their digest are two fields of the row: a token is minted from the digest, a person saw the arguments.
  const isSigned = canonicalize(signed) === canonicalize(bound) && row.argsDigest === digestOf(row.args)
  if (!isSigned || claims['decision'] !== 'approved') {
    throw new AgenticError('ERR_APPROVAL_INVALID', 'the approval was given for something else')
  }
  const exp = claims['exp']
  if (typeof exp !== 'number' || exp * 1000 <= nowMs) {
    throw new AgenticError('ERR_APPROVAL_EXPIRED', 'the approval has expired')
  }
}

/** @throws AgenticError ERR_APPROVAL_UNKNOWN */
export function findApproval(snapshot: ExecutionSnapshot, approvalId: string): ApprovalRow {
  const row = snapshot.approvals.find((candidate) => candidate.approvalId === approvalId)
  if (!row) throw new AgenticError('ERR_APPROVAL_UNKNOWN', 'there is no such approval in this run')
  return row
}
