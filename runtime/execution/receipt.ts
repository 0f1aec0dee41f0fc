/**
 * Receipts: the engine's signed word that an activation happened, with which tokens, calls and result
 * (PROTOCOL 6). What comes after believes receipts, never an agent.
 */
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { sha256Base64url } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import { signJws, verifyJws } from '../keys/jws.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import type { ActivationRow, ReceiptRow } from './records.js'

export interface ReceiptCall {
  readonly tool: string
  /** `sha256:<hex>` of the canonical arguments. */
  readonly argsDigest: string
  readonly resultDigest: string
  readonly idempotencyKey: string
}

export interface ReceiptFacts {
  readonly activation: ActivationRow
  readonly inputDigest: string
  readonly outputDigest: string
  /** `jti` of every token used. */
  readonly tokens: readonly string[]
  readonly calls: readonly ReceiptCall[]
  readonly checkpoint: string
  readonly skipped: boolean
  /** Milliseconds since the epoch. */
  readonly endedAt: number
}

/** Signs a receipt. @returns the row to commit; `receiptHash` is the base64url SHA-256 of the compact JWS */
export function signReceipt(facts: ReceiptFacts, engineKey: SigningKey): ReceiptRow {
  const { activation } = facts
  const claims: JsonObject = {
    ...activationClaims(activation),
    ...(facts.skipped && { skipped: true }),
    input_digest: facts.inputDigest,
    output_digest: facts.outputDigest,
    tokens: [...facts.tokens],
    calls: facts.calls.map((call) => ({
      tool: call.tool,
      args_digest: call.argsDigest,
      result_digest: call.resultDigest,
      idempotency_key: call.idempotencyKey,
    })),
    checkpoint: facts.checkpoint,
    ended_at: Math.floor(facts.endedAt / 1000),
  }
  const jws = signJws({ typ: 'receipt+jwt', kid: engineKey.publicKey.thumbprint }, claims, engineKey)
  return {
    receiptHash: receiptHash(jws),
    executionId: activation.executionId,
    activationId: activation.activationId,
    step: activation.step,
    iteration: activation.iteration,
    item: activation.item,
    checkpoint: facts.checkpoint,
    jws,
    at: facts.endedAt,
  }
}

/** What a receipt says of the activation it is about. */
function activationClaims(activation: ActivationRow): JsonObject {
  return {
    execution_id: activation.executionId,
    activation_id: activation.activationId,
    step: activation.step,
    iteration: activation.iteration,
    item: activation.item,
    attempt: activation.attempt,
    epoch: activation.epoch,
    ...(activation.registrationId !== undefined && { registration_id: activation.registrationId }),
    ...(activation.agentChecksum !== undefined && { agent_checksum: activation.agentChecksum }),
    parents: [...activation.parents],
    started_at: Math.floor(activation.startedAt / 1000),
  }
}

export function receiptHash(jws: string): string {
  return sha256Base64url(jws)
}

/** Receipts may list many calls, so they may be larger than a token. */
const maxReceiptBytes = 1024 * 1024

/**
 * Believes a stored receipt only if the engine signed it and it says what its row says.
 * @returns its claims
 * @throws AgenticError ERR_RECEIPT_INVALID
 */
export function verifyReceipt(row: ReceiptRow, engineKey: PublicKey): JsonObject {
  let claims: JsonObject
  try {
    claims = verifyJws(row.jws, engineKey, { typ: 'receipt+jwt', maxBytes: maxReceiptBytes }).claims
  } catch (cause) {
    throw new AgenticError(
      'ERR_RECEIPT_INVALID',
      `the receipt of step "${row.step}" is not signed by the engine`,
      {
        cause,
      },
    )
  }
  const same =
    claims['execution_id'] === row.executionId &&
    claims['activation_id'] === row.activationId &&
    claims['step'] === row.step &&
    claims['iteration'] === row.iteration &&
    claims['item'] === row.item &&
    claims['checkpoint'] === row.checkpoint &&
    receiptHash(row.jws) === row.receiptHash
  if (!same)
    throw new AgenticError('ERR_RECEIPT_INVALID', `the receipt of step "${row.step}" is for something else`)
  return claims
}

/**
 * Demands a receipt of the engine about exactly this activation, as it is stored.
 * @throws AgenticError ERR_RECEIPT_INVALID
 */
export function requireReceiptOf(activation: ActivationRow, row: ReceiptRow, engineKey: PublicKey): void {
  const claims = verifyReceipt(row, engineKey)
  const expected = activationClaims(activation)
  const signed = Object.fromEntries(Object.keys(expected).map((name) => [name, claims[name] ?? null]))
  if (canonicalize(signed) !== canonicalize(expected)) {
    throw new AgenticError(
      'ERR_RECEIPT_INVALID',
      `the receipt does not fit the activation of step "${activation.step}"`,
    )
  }
}
