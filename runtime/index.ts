/** The front door: the public names, nothing else. */

export { createRuntime, type RuntimeOptions } from './compose.js'
export type { RunEvent } from './execution/events.js'
export type { ApprovalRow, ExecutionRow, Initiator } from './execution/records.js'
export type { GuardedResource, ResourceTool } from './guard/resource.js'
export type {
  AgentContext,
  AgentDefinition,
  HttpRoute,
  ToolCallInfo,
  ToolCallResult,
  ToolDefinition,
} from './identity/agent.js'
export { defineAgent, defineTool } from './identity/define.js'
export {
  compareMcpTools,
  type McpToolChanges,
  mcpToolManifest,
  type PinnedMcpTool,
  type PinnedMcpTools,
  pinMcpTools,
  requireSameMcpTools,
} from './identity/mcp-tools.js'
export { loadAttestedKey } from './keys/attested-key.js'
export {
  type KeyProofRules,
  type KeyProofSubject,
  signKeyProof,
  verifyKeyProof,
} from './keys/key-proof.js'
export {
  fileKeyWrapper,
  type KeyWrapper,
  type MasterSecretSource,
  wrappedMasterSecret,
} from './keys/master-secret-source.js'
export type { KeyEpoch } from './keys/rotation.js'
export type { Preparation, Program } from './program.js'
export * from './proofs.js'
export type {
  ApprovalDecision,
  AskApproval,
  ChatModel,
  Run,
  RunDetail,
  RunOptions,
  RunResult,
  Runtime,
  StartOptions,
  StepReport,
} from './runtime.js'
export type { IdTokenIssuer } from './tokens/id-token.js'
export { defineWorkflow } from './workflow/define.js'
export type { Workflow, WorkflowDefinition } from './workflow/definition.js'
export { loadWorkflow } from './workflow/yaml.js'
