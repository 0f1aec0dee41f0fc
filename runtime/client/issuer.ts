/** The port through which an agent's side asks for intent tokens: in process, or a token endpoint over HTTP. */

/** PROTOCOL 9, the request of the `agent_checksum` grant. */
export interface TokenRequest {
  readonly agentId: string
  readonly computedChecksum: string
  readonly workflowId: string
  readonly workflowStep: string
  readonly executionId: string
  readonly activationId: string
  readonly epoch: number
  readonly scope: readonly string[]
  readonly audience: string
  /** The tool the token is for; an approval binds to it. */
  readonly tool: string
  /** Root first, leaf last; compact JWS. */
  readonly chain: readonly string[]
  /** DPoP proof by the agent's key over POST of the issuer's token endpoint. */
  readonly proof: string
}

export interface IssuedToken {
  readonly accessToken: string
  readonly tokenType: 'DPoP'
  readonly expiresIn: number
  readonly scope: readonly string[]
  /** The tools in the granted `authorization_details`; a tool behind a gate is in a token of its own. */
  readonly tools: readonly string[]
  /** "once": opened by an approval, never reused. */
  readonly use?: 'once'
}

/** @throws AgenticError with the first reason in the order of PROTOCOL 9 */
export interface TokenIssuer {
  /** The issuer's identifier (RFC 8414); its token endpoint is `<issuer>/token`. */
  readonly issuer: string
  issue(request: TokenRequest): Promise<IssuedToken>
}
