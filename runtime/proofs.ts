/** The door for programs that use the proofs alone: no engine, no store, no LangGraph is loaded behind it. */

export { type McpCall, type McpCallParams, mcpCallParams } from './client/mcp-call.js'
export { type Clock, systemClock } from './clock.js'
export type { Assertion, AssertionIntent } from './delegation/assertion.js'
export {
  chainHeader,
  type InvocationCredentials,
  invocationMeta,
  parseChainHeader,
  parseInvocationMeta,
} from './delegation/carrying.js'
export type { Constraint } from './delegation/constraint.js'
export type { DerivationRequest } from './delegation/derive.js'
export { type IntentStatement, intentHash, type RootRequest } from './delegation/root.js'
export type { ToolGrants } from './delegation/tools.js'
export { createLinkCache, type LinkCache, type VerifiedLink } from './delegation/verified-links.js'
export type { Invariant, VerifiedChain } from './delegation/verify-chain.js'
export { canonicalize, type JsonObject, type JsonValue } from './encoding/canonical-json.js'
export { AgenticError, type Credential, type ErrorCode, isAgenticError, oauthAnswer } from './errors.js'
export type { AgentManifest, ToolManifest } from './identity/manifest.js'
export type { KeyDerivation } from './keys/derive.js'
export type { JwkSet, KeySet, PublishedJwk } from './keys/jwk-set.js'
export { createKeyring, type Keyring, type KeyringOptions } from './keys/keyring.js'
export type {
  Ed25519PublicKey,
  Es256PublicKey,
  KeyAlgorithm,
  PublicJwk,
  PublicKey,
} from './keys/public-key.js'
export type { SigningKey } from './keys/signing-key.js'
export type { TrustedKeys } from './proofs/defaults.js'
export {
  checkArguments,
  deriveAssertion,
  issueRootAssertion,
  type SigningOptions,
  subsumes,
  type VerifyChainRules,
  verifyChain,
} from './proofs/delegation.js'
export { agentChecksum, sequenceHash } from './proofs/identity.js'
export {
  type IntentTokenRequest,
  type MintOptions,
  mintIntentToken,
  type VerifyIntentTokenRules,
  verifyIntentToken,
} from './proofs/intent-token.js'
export {
  deriveKey,
  exportJwkSet,
  generateKey,
  parseJwkSet,
  readPublicKey,
  thumbprint,
} from './proofs/keys.js'
export {
  createDpopProof,
  createInvocationProof,
  type ProofOptions,
  type VerifiedInvocationProof,
  type VerifyDpopProofRules,
  type VerifyInvocationProofRules,
  verifyDpopProof,
  verifyInvocationProof,
} from './proofs/possession.js'
export { createMemorySingleUse } from './store/memory-single-use.js'
export { createDpopNonces, type DpopNonces } from './tokens/dpop-nonce.js'
export type { BoundRequest, DpopProofRequest, VerifiedDpopProof } from './tokens/dpop-proof.js'
export type { VerifiedIntentToken } from './tokens/intent-token.js'
export type { InvocationProofRequest } from './tokens/invocation-proof.js'
export type { SingleUse } from './tokens/single-use.js'
export type { Intent, IntentTokenClaims, TokenApproval } from './tokens/wire.js'
