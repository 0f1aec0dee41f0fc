/**
 * The one error class. A code names one reason and never changes its meaning; branch on `code`,
 * never on the text. A message says what was expected and what was found, and never holds a token,
 * a key, a prompt or a payload. `cause` is for the debugger only.
 */
export class AgenticError extends Error {
  override readonly name = 'AgenticError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** OAuth's answer to one code: [`error`, HTTP status] towards a resource's caller and at the token endpoint. */
interface OAuthAnswer {
  readonly resource: readonly [error: string, status: number]
  readonly token: readonly [error: string, status: number]
}

const invalidToken = { resource: ['invalid_token', 401], token: ['invalid_grant', 400] } as const
const invalidProof = { resource: ['invalid_dpop_proof', 401], token: ['invalid_dpop_proof', 400] } as const
const forbidden = { resource: ['insufficient_scope', 403], token: ['invalid_scope', 400] } as const
const invalidRequest = { resource: ['invalid_request', 400], token: ['invalid_request', 400] } as const
const stepRefused = {
  resource: ['insufficient_scope', 403],
  token: ['workflow_step_unauthorized', 403],
} as const
const serverError = { resource: ['server_error', 500], token: ['server_error', 500] } as const

/** The total table from reasons to OAuth's words (RFC 6749 §5.2, RFC 6750 §3.1, RFC 9449 §7). */
export const oauthAnswers = {
  // encoding
  ERR_BASE64URL_INVALID: invalidToken,
  ERR_JSON_INVALID: invalidRequest,
  ERR_JSON_NOT_CANONICAL: invalidRequest,
  ERR_ID_INVALID: invalidRequest,
  ERR_TOKEN_TOO_LARGE: invalidToken,
  ERR_TOKEN_MALFORMED: invalidToken,
  ERR_TOKEN_JSON: invalidToken,
  ERR_HEADER_REFUSED: invalidToken,
  ERR_ALG_REFUSED: invalidToken,
  ERR_TYP_MISMATCH: invalidToken,
  ERR_SIGNATURE_INVALID: invalidToken,
  ERR_CLAIM_INVALID: invalidToken,
  // keys
  ERR_KEY_INVALID: invalidToken,
  ERR_KEY_SMALL_ORDER: invalidToken,
  ERR_KEY_PAIR_MISMATCH: serverError,
  ERR_KEY_SET_INVALID: serverError,
  ERR_KEY_SET_SIZE: serverError,
  ERR_KEY_SET_DUPLICATE: serverError,
  ERR_KEY_SET_PRIVATE: serverError,
  ERR_MASTER_SECRET_MISSING: serverError,
  ERR_MASTER_SECRET_EXPOSED: serverError,
  ERR_MASTER_SECRET_INVALID: serverError,
  ERR_MASTER_SECRET_UNWRAP: serverError,
  ERR_KEY_FILE_MISSING: serverError,
  ERR_KEY_FILE_EXPOSED: serverError,
  ERR_KEY_FILE_INVALID: serverError,
  ERR_CRYPTO_SELF_TEST: serverError,
  // A proof about a new key (PROTOCOL 2.3) that was made for another key, authority, agent, checksum or epoch.
  ERR_KEY_PROOF_KEY: invalidProof,
  ERR_KEY_PROOF_ISSUER: invalidProof,
  ERR_KEY_PROOF_AGENT: invalidProof,
  ERR_KEY_PROOF_CHECKSUM: invalidProof,
  ERR_KEY_PROOF_EPOCH: invalidProof,
  // identity
  ERR_MANIFEST_INVALID: invalidRequest,
  ERR_AGENT_UNKNOWN: { resource: ['invalid_token', 401], token: ['unknown_agent', 401] },
  ERR_AGENT_REVOKED: { resource: ['invalid_token', 401], token: ['unknown_agent', 401] },
  ERR_AGENT_SUPERSEDED: { resource: ['invalid_token', 401], token: ['unknown_agent', 401] },
  ERR_AGENT_OWNER: { resource: ['insufficient_scope', 403], token: ['unauthorized_client', 400] },
  ERR_AGENT_CHANGED: serverError,
  ERR_AGENT_CHECKSUM_MISMATCH: {
    resource: ['invalid_token', 401],
    token: ['agent_checksum_mismatch', 401],
  },
  ERR_CODE_UNRESOLVED: serverError,
  ERR_KEY_REGISTERED: invalidRequest,
  ERR_KEY_LIMIT: invalidRequest,
  ERR_KEY_PROOF_PREDECESSOR: invalidRequest,
  ERR_MCP_TOOLS_INVALID: invalidRequest,
  ERR_MCP_TOOLS_CHANGED: serverError,
  // tokens
  ERR_TOKEN_EXPIRED: invalidToken,
  ERR_TOKEN_FROM_FUTURE: invalidToken,
  ERR_TOKEN_LIFETIME: invalidToken,
  ERR_TOKEN_ISSUER: invalidToken,
  ERR_TOKEN_AUDIENCE: invalidToken,
  ERR_TOKEN_USED: invalidToken,
  ERR_TOKEN_REVOKED: invalidToken,
  ERR_PROOF_MISSING: invalidProof,
  ERR_PROOF_KEY: invalidProof,
  ERR_PROOF_METHOD: invalidProof,
  ERR_PROOF_URL: invalidProof,
  ERR_PROOF_STALE: invalidProof,
  ERR_PROOF_TOKEN: invalidProof,
  ERR_PROOF_REQUEST: invalidProof,
  ERR_PROOF_NONCE: { resource: ['use_dpop_nonce', 401], token: ['use_dpop_nonce', 400] },
  ERR_PROOF_REPLAYED: invalidProof,
  ERR_PROOF_TOOL: invalidProof,
  ERR_PROOF_ARGUMENTS: invalidProof,
  ERR_PROOF_LEAF: invalidProof,
  ERR_PROOF_AUDIENCE: invalidProof,
  ERR_REPLAY_STORE: serverError,
  // delegation
  ERR_CHAIN_EMPTY: invalidToken,
  ERR_CHAIN_TOO_LONG: invalidToken,
  ERR_CHAIN_DUPLICATE: invalidToken,
  ERR_CHAIN_ROOT_UNTRUSTED: invalidToken,
  ERR_CHAIN_ISSUER: invalidToken,
  ERR_CHAIN_LINK: invalidToken,
  ERR_CHAIN_DEPTH: invalidToken,
  ERR_CHAIN_LIFETIME: invalidToken,
  ERR_CHAIN_TOOL_WIDENED: invalidToken,
  ERR_CHAIN_CONSTRAINT_WIDENED: invalidToken,
  ERR_CHAIN_SCOPE_WIDENED: invalidToken,
  ERR_CHAIN_INTENT: invalidToken,
  ERR_CHAIN_AGENT: invalidToken,
  ERR_CHAIN_DELEGATOR: invalidToken,
  ERR_CHAIN_MISSING: invalidToken,
  ERR_CHAIN_HASH: invalidToken,
  ERR_CONSTRAINT_INVALID: {
    resource: ['invalid_token', 401],
    token: ['invalid_authorization_details', 400],
  },
  // workflow
  ERR_WORKFLOW_INVALID: invalidRequest,
  ERR_WORKFLOW_UNKNOWN: invalidRequest,
  ERR_WORKFLOW_CHANGED: stepRefused,
  ERR_INPUT_INVALID: invalidRequest,
  ERR_CONDITION_INVALID: invalidRequest,
  // execution
  ERR_EXECUTION_UNKNOWN: stepRefused,
  ERR_EXECUTION_ENDED: stepRefused,
  ERR_EPOCH_STALE: stepRefused,
  ERR_ACTIVATION_UNKNOWN: stepRefused,
  ERR_ACTIVATION_NOT_LIVE: stepRefused,
  ERR_STEP_PREREQUISITE: stepRefused,
  ERR_STEP_UNKNOWN: stepRefused,
  ERR_RECEIPT_INVALID: stepRefused,
  ERR_APPROVAL_REQUIRED: stepRefused,
  ERR_APPROVAL_UNKNOWN: stepRefused,
  ERR_APPROVAL_DENIED: stepRefused,
  ERR_APPROVAL_USED: stepRefused,
  ERR_APPROVAL_ARGUMENTS: stepRefused,
  ERR_APPROVAL_EXPIRED: stepRefused,
  ERR_APPROVAL_INVALID: stepRefused,
  // guard and token endpoint
  ERR_CLIENT_UNAUTHORIZED: { resource: ['invalid_token', 401], token: ['unauthorized_client', 400] },
  ERR_CREDENTIALS_MISSING: { resource: ['', 401], token: ['invalid_client', 401] },
  ERR_REQUEST_INVALID: invalidRequest,
  ERR_ROUTE_UNKNOWN: { resource: ['invalid_request', 404], token: ['invalid_request', 404] },
  ERR_SCOPE_MISSING: forbidden,
  ERR_TOOL_NOT_GRANTED: forbidden,
  ERR_ARGUMENT_REFUSED: forbidden,
  ERR_ARGUMENT_INVALID: invalidRequest,
  ERR_TARGET_INVALID: { resource: ['invalid_token', 401], token: ['invalid_target', 400] },
  ERR_LISTEN_FAILED: serverError,
  ERR_TOOL_FAILED: { resource: ['tool_failed', 422], token: ['server_error', 500] },
  // audit, store
  ERR_AUDIT_CORRUPT: serverError,
  ERR_AUDIT_WRITE: serverError,
  ERR_AUDIT_ENTRY_TOO_LARGE: serverError,
  ERR_AUDIT_PROOF: serverError,
  ERR_STORE_FAILED: serverError,
  // The row exists already, or somebody else was faster: look again and decide again.
  ERR_STORE_CONFLICT: serverError,
  ERR_STORE_UNSUPPORTED: serverError,
  // engine
  ERR_STEP_FAILED: serverError,
  ERR_STEP_TIMEOUT: serverError,
  ERR_NODE_UNWRAPPED: serverError,
  ERR_TOOL_UNKNOWN: serverError,
  ERR_CONTEXT_ENDED: serverError,
  ERR_MODEL_UNAVAILABLE: serverError,
  ERR_MODEL_FAILED: serverError,
  ERR_MODEL_LOOP: serverError,
  ERR_MODEL_OUTPUT: serverError,
  ERR_CANCELLED: serverError,
} as const satisfies Record<string, OAuthAnswer>

export type ErrorCode = keyof typeof oauthAnswers

/** True for the errors of this project. */
export function isAgenticError(error: unknown): error is AgenticError {
  return error instanceof AgenticError
}

/** The code of an error of ours; undefined for anything else. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return isAgenticError(error) ? error.code : undefined
}

/** Which credential was being read when an error came up: tokens and proofs pass one gate and share its codes. */
export type Credential = 'token' | 'proof'

/** The answer to an error: the row of its code; in place of a bad token's that of a bad proof, where a proof was
 * being read (RFC 9449 §7.1); for anything that is not of ours a `server_error`.
 */
export function oauthAnswer(error: unknown, reading: Credential): OAuthAnswer {
  const row: OAuthAnswer = isAgenticError(error) ? oauthAnswers[error.code] : serverError
  return row === invalidToken && reading === 'proof' ? invalidProof : row
}
